#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "model/execute.h"
#include "model/obstacles.h"
#include "model/onnx.h"
#include "session/decision.h"
#include "session/images.h"
#include "session/local_states.h"
#include "session/monitor.h"
#include "session/plan_states.h"
#include "system/file.h"
#include "system/file_set.h"
#include "system/memory.h"

namespace velum {

namespace {

const std::string kClient = "client.plan", kServer = "server.plan";

model::LoadOptions load_options(const ModelOptions& options) {
  model::LoadOptions load;
  load.output = options.output;
  load.shape = model::parse_shape(options.shape);
  load.pixels = model::parse_pixels(options.input_range, options.input_mean, options.input_std);
  return load;
}

std::size_t outputs_of(const model::Graph& graph) {
  return static_cast<std::size_t>(model::element_count(graph.shape_of(graph.output)));
}

plan::Request request_of(const model::Graph& graph, const PlanRequest& asked, const Monitor& monitor) {
  if (asked.security_bits != 128 && asked.security_bits != 192 && asked.security_bits != 256)
    fail_user("security of {} bits was asked for: expected 128, 192 or 256", asked.security_bits);
  plan::Request r;
  r.batch = asked.images;
  r.security = static_cast<ckks::Security>(asked.security_bits);
  r.precision_bits = asked.precision_bits;
  r.memory_bytes = asked.memory_bytes;
  if (const auto available = available_memory_bytes(); available && !asked.memory_bytes)
    r.memory_bytes = std::max<std::uint64_t>(*available, 1);  // 0 is no limit
  r.threads = session::team_of(asked.threads);
  r.public_key = asked.public_key;
  r.statistics = asked.statistics;
  r.form = session::form_of(graph);
  session::settle_outputs(r.form, outputs_of(graph), graph, -1, asked.threshold);
  // How long a search takes is known when it is over: the share comes closer to 1 the longer it lasts.
  if (const auto watched = session::watched(monitor))
    r.tick = [watched, ticks = std::make_shared<double>(0)] {
      constexpr double kUsualTicks = 100;
      ++*ticks;
      watched(*ticks / (*ticks + kUsualTicks));
    };
  return r;
}

PackingOption public_option(const plan::PackingOption& o) {
  return {o.what,
          o.blocks,
          o.n,
          static_cast<std::uint64_t>(o.images_per_batch),
          o.batches,
          o.seconds,
          o.peak_bytes,
          o.key_bytes,
          o.input_bytes_per_image};
}

Model model_of(model::Graph graph, const std::string& name) {
  return Model(std::make_shared<const Model::State>(Model::State{std::move(graph), name}));
}

}  // namespace

Model Model::load(const std::string& path, const ModelOptions& options) {
  return model_of(model::load_onnx(path, load_options(options)), path);
}

Model Model::from_bytes(ByteView file, const std::string& name, const ModelOptions& options) {
  return model_of(model::load_onnx(file, name, load_options(options)), name);
}

ModelInfo Model::inspect() const {
  const auto& g = state_->graph;
  ModelInfo info;
  info.name = g.name;
  info.input_shape = g.input_shape;
  info.output_shape = g.shape_of(g.output);
  info.classes = session::form_of(g).classes;
  for (const auto& node : g.nodes)
    info.layers.push_back({node.name, std::string(model::operation_name(node.op)), node.shape});
  info.notes = g.notes;
  for (const auto& o : model::obstacles(g))
    info.obstacles.push_back(fmt::format("{}: {}; {}", o.node, o.what, o.needs));
  return info;
}

std::vector<double> Model::evaluate(const Images& images, int threads) const {
  const ThreadScope scope(session::team_of(threads));
  const auto& g = state_->graph;
  const auto pixels = session::pixels_of(images, g.input_shape);
  const double slack = 1e-6 * (g.input_range.high - g.input_range.low);
  for (std::size_t i = 0; i < pixels.values.size(); ++i)
    if (const double x = pixels.values[i];
        !(x >= g.input_range.low - slack && x <= g.input_range.high + slack))
      fail_user(
          "evaluate: image {}, element {} is {:g}, the network takes values from {:g} to {:g}; correct the "
          "image "
          "or its scaling",
          i / pixels.elements, i % pixels.elements, x, g.input_range.low, g.input_range.high);
  return model::execute(g, pixels.values, pixels.count());
}

Plan Model::plan(const PlanRequest& request, const Monitor& monitor) const {
  const auto& graph = state_->graph;
  const auto asked = request_of(graph, request, monitor);
  const ThreadScope threads(asked.threads);
  if (const auto all = model::obstacles(graph); !all.empty())
    fail_user("{}: {}", state_->name, model::obstacles_text(all, state_->name));
  auto result = plan::make_plan(graph, asked);
  if (monitor.progress) monitor.progress(1);
  auto server = session::public_plan(result.plan);
  return Plan(std::make_shared<const Plan::State>(Plan::State{std::move(result), std::move(server)}));
}

std::vector<PackingOption> Model::frontier(const PlanRequest& request, const Monitor& monitor) const {
  const auto& graph = state_->graph;
  auto asked = request_of(graph, request, monitor);
  asked.frontier = true;
  const ThreadScope threads(asked.threads);
  if (const auto all = model::obstacles(graph); !all.empty())
    fail_user("{}: {}", state_->name, model::obstacles_text(all, state_->name));
  const auto result = plan::make_plan(graph, asked);
  if (monitor.progress) monitor.progress(1);
  std::vector<PackingOption> options;
  for (const auto& o : result.options) options.push_back(public_option(o));
  std::stable_sort(options.begin(), options.end(),
                   [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  return options;
}

ServerPlan Plan::server() const {
  return state_->server;
}

ClientPlan Plan::client() const {
  return state_->server.client();
}

double Plan::precision_bits() const {
  const auto& plan = state_->result.plan;
  const auto& output = plan.values[plan.output_value];
  return -std::log2(output.error_rms / output.bound);
}

std::vector<std::string> Plan::notes() const {
  return state_->result.notes;
}

std::vector<PackingOption> Plan::options() const {
  std::vector<PackingOption> options;
  for (const auto& o : state_->result.options) options.push_back(public_option(o));
  return options;
}

std::string Plan::to_text() const {
  return plan::to_text(state_->result.plan);
}

std::string Plan::to_json() const {
  return plan::to_json(state_->result);
}

void Plan::save(const std::string& folder) const {
  FileSet files(folder, {kClient, kServer});
  state_->server.save(files.staged(kServer));
  state_->server.client().save(files.staged(kClient));
  files.commit();
}

}  // namespace velum
