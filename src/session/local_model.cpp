#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/parallel.h"
#include "engine/clear.h"
#include "model/execute.h"
#include "model/input_statistics.h"
#include "model/obstacles.h"
#include "model/onnx.h"
#include "model/tail.h"
#include "plan/summary.h"
#include "report/activations.h"
#include "session/decision.h"
#include "session/images.h"
#include "session/local_decision.h"
#include "session/local_rates.h"
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
  load.pixels.unless_recorded = options.unless_recorded;
  return load;
}

std::size_t outputs_of(const model::Graph& graph) {
  return static_cast<std::size_t>(model::element_count(graph.shape_of(graph.output)));
}

// Images executed between two looks at the monitor.
constexpr std::size_t kChunk = 512;

// outputs [images][width] of `execute`, which is given some of the images and their number at a time.
template <typename Execute>
std::vector<double> in_chunks(const session::Pixels& pixels, const Monitor& monitor, Execute execute) {
  const auto watched = session::watched(monitor);
  std::vector<double> outputs;
  const auto all = pixels.count();
  for (std::size_t first = 0; first < all; first += kChunk) {
    if (watched) watched(static_cast<double>(first) / static_cast<double>(all));
    const auto count = std::min(kChunk, all - first);
    const auto some = execute(pixels.values.subspan(first * pixels.elements, count * pixels.elements), count);
    outputs.insert(outputs.end(), some.begin(), some.end());
  }
  if (watched) watched(1);
  return outputs;
}

Range public_range(const model::Range& r) {
  return {r.low, r.high};
}

ActivationInfo public_activation(const report::Activation& a) {
  ActivationInfo info{
      a.name,       a.relu, a.elements, public_range(a.input), a.input.rms, public_range(a.output),
      a.output.rms, {},     {}};
  if (a.planned) info.planned = public_range(*a.planned);
  for (const auto& u : a.units)
    info.units.push_back({u.element, {u.low, u.high}, u.curve.a, u.curve.b, u.curve.c});
  return info;
}

plan::Packing packing_of(Packing packing) {
  switch (packing) {
    case Packing::automatic:
      break;
    case Packing::batch:
      return plan::Packing::batch;
    case Packing::blocks:
      return plan::Packing::blocks;
    case Packing::channels:
      return plan::Packing::channels;
  }
  return plan::Packing::automatic;
}

plan::Request request_of(const Model& model, const PlanRequest& asked, const Monitor& monitor) {
  if (asked.security_bits != 128 && asked.security_bits != 192 && asked.security_bits != 256)
    fail_user("security of {} bits was asked for: expected 128, 192 or 256", asked.security_bits);
  plan::Request r;
  r.batch = asked.images;
  r.security = static_cast<ckks::Security>(asked.security_bits);
  r.precision_bits = asked.precision_bits;
  r.memory_bytes = asked.memory_bytes;
  // Not all that is free now: by the time that the plan runs, images, keys and other programs hold some of
  // it, and a plan for the last of it would be refused then.
  if (const auto available = available_memory_bytes(); available && !asked.memory_bytes)
    r.memory_bytes = std::max<std::uint64_t>(*available / 20 * 19, 1);  // 0 is no limit
  r.threads = session::team_of(asked.threads);
  r.public_key = asked.public_key;
  r.small_results = asked.small_results;
  r.statistics = asked.statistics;
  r.packing = packing_of(asked.packing);
  r.blocks = asked.blocks;
  r.ring = asked.standard_ring ? ckks::RingType::standard : ckks::RingType::real;
  r.frontier = asked.frontier;
  if (asked.form)
    r.form = session::private_form(*asked.form);
  else
    r.form = session::private_form(model.form(asked.threshold));
  // How long a search takes is known when it is over: the share comes closer to 1 the longer it lasts.
  if (const auto watched = session::watched(monitor))
    r.tick = [watched, ticks = std::make_shared<double>(0)] {
      constexpr double kUsualTicks = 100;
      ++*ticks;
      watched(*ticks / (*ticks + kUsualTicks));
    };
  return r;
}

Plan planned(const Model& model, const PlanRequest& request, const Monitor& monitor) {
  const auto& graph = model.state().graph;
  auto asked = request_of(model, request, monitor);
  const ThreadScope threads(asked.threads);
  model.require_encryptable();
  const auto note = session::apply_rates(asked, request.rates);
  auto result = plan::make_plan(graph, asked);
  if (!note.empty()) result.notes.push_back(note);
  if (monitor.progress) monitor.progress(1);
  const auto made = std::make_shared<const plan::PlanResult>(std::move(result));
  auto server = session::public_plan(std::shared_ptr<const plan::ServerPlan>(made, &made->plan));
  return_free_memory();
  return Plan(
      std::make_shared<const Plan::State>(Plan::State{made, std::move(server), asked.batch, asked.rates}));
}

PackingOption public_option(const plan::PackingOption& o) {
  return {o.what,
          o.blocks,
          o.n,
          static_cast<std::uint64_t>(o.images_per_batch),
          o.batches,
          o.seconds,
          o.seconds_per_image,
          o.peak_bytes,
          o.key_bytes,
          o.input_bytes_per_image};
}

Model model_of(model::Graph graph, const std::string& name, double margin = -1) {
  return Model(std::make_shared<const Model::State>(Model::State{std::move(graph), name, margin}));
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
  info.input_range = public_range(g.input_range);
  const auto& p = g.pixels;
  info.pixels = {
      p.low, p.high, p.mean, p.deviation, p.origin != model::Pixels::Origin::assumed, model::pixels_text(p)};
  info.form = session::form_of(g);
  info.classes = info.form.classes;
  for (const auto& node : g.nodes) {
    info.layers.push_back({node.name, std::string(model::operation_name(node.op)), node.shape, {}});
    if (const auto range = g.ranges.find(node.output); range != g.ranges.end())
      info.layers.back().range = public_range(range->second);
  }
  info.notes = g.notes;
  info.metadata = g.metadata;
  const auto all = model::obstacles(g);
  for (const auto& o : all) info.obstacles.push_back({o.node, o.what, o.needs});
  if (!all.empty()) info.obstacles_text = model::obstacles_text(all, state_->name);
  return info;
}

void Model::require_encryptable() const {
  if (const auto all = model::obstacles(state_->graph); !all.empty())
    fail_user("{}: {}", state_->name, model::obstacles_text(all, state_->name));
}

DataForm Model::form(std::optional<double> threshold, std::span<const double> seen) const {
  auto form = session::form_of(state_->graph);
  session::settle_outputs(form, outputs_of(state_->graph), state_->graph, state_->margin, threshold, seen);
  return form;
}

Model Model::calibrated(const Images& images, double margin) const {
  require_encryptable();
  auto graph = state_->graph;
  const auto pixels = session::pixels_of(images, graph.input_shape);
  model::calibrate(graph, pixels.values, pixels.count(), margin);
  if (pixels.count() < model::kLeastStatisticsImages)
    graph.notes.push_back(
        fmt::format("{} calibration images are too few for statistics of them, which warn of images unlike "
                    "them: {} are needed",
                    pixels.count(), model::kLeastStatisticsImages));
  return model_of(std::move(graph), state_->name, margin);
}

std::vector<double> Model::evaluate(const Images& images, int threads, const Monitor& monitor) const {
  const ThreadScope scope(session::team_of(threads));
  const auto& g = state_->graph;
  return in_chunks(session::pixels_of(images, g.input_shape), monitor,
                   [&](auto some, auto count) { return model::execute(g, some, count); });
}

std::vector<double> Model::file_outputs(std::span<const double> outputs) const {
  return model::apply_tail(state_->graph, outputs);
}

std::vector<ActivationInfo> Model::activations(const Images& images, std::size_t units) const {
  const auto pixels = session::pixels_of(images, state_->graph.input_shape);
  const auto count = report::images_to_observe(pixels.count(), pixels.elements);
  std::vector<ActivationInfo> all;
  for (const auto& a :
       report::observe_activations(state_->graph, pixels.values.first(count * pixels.elements), count, units))
    all.push_back(public_activation(a));
  return all;
}

Plan Model::plan(const PlanRequest& request, const Monitor& monitor) const {
  return planned(*this, request, monitor);
}

std::vector<PackingOption> Model::frontier(const PlanRequest& request, const Monitor& monitor) const {
  auto all = request;
  all.frontier = true;
  auto options = planned(*this, all, monitor).options();
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
  const auto& plan = state_->plan();
  const auto& output = plan.values[plan.output_value];
  return -std::log2(output.error_rms / output.bound);
}

std::vector<std::string> Plan::notes() const {
  return state_->result().notes;
}

std::vector<PackingOption> Plan::options() const {
  std::vector<PackingOption> options;
  for (const auto& o : state_->result().options) options.push_back(public_option(o));
  return options;
}

std::vector<double> Plan::evaluate(const Images& images, int threads, const Monitor& monitor) const {
  const ThreadScope scope(session::team_of(threads));
  const auto& plan = state_->plan();
  return in_chunks(session::pixels_of(images, plan.client.input_shape), monitor,
                   [&](auto some, auto count) { return engine::run_clear_batch(plan, some, count); });
}

std::string Plan::to_text() const {
  return plan::summary_text(state_->plan(), state_->images);
}

std::string Plan::details() const {
  return plan::to_text(state_->plan());
}

std::string Plan::explanation() const {
  return plan::explain_text(state_->result());
}

std::string Plan::to_json() const {
  return plan::to_json(state_->result());
}

void Plan::save(const std::string& folder) const {
  FileSet files(folder, {kClient, kServer});
  state_->server.save(files.staged(kServer));
  state_->server.client().save(files.staged(kClient));
  files.commit();
}

}  // namespace velum
