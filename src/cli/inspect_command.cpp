// velum inspect: what a file is and says, without any key.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/container.h"
#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/network_options.h"
#include "cli/output_rule.h"
#include "engine/batch_file.h"
#include "model/input_statistics.h"
#include "model/obstacles.h"
#include "model/onnx.h"
#include "plan/passes.h"
#include "session/client_keys.h"
#include "session/files.h"
#include "system/file.h"
#include "system/framed_file.h"
#include "system/program.h"

namespace velum::cli {

namespace {

struct Options {
  std::string file;
  NetworkOptions network;
  CommonOptions common;
};

// Text for people and the same facts as JSON.
struct Description {
  std::string text;
  Json json;
  void say(const std::string& name, const std::string& value) {
    text += fmt::format("{:<22} {}\n", printable(name), printable(value));
  }
};

Description describe_parameters(Description d, const ckks::Parameters& params) {
  std::string primes;
  for (std::size_t i = 0; i < params.ring().count(); ++i)
    primes += fmt::format("{}{}{}", i ? " " : "", i == params.limbs() ? "| " : "", params.ring().q(i));
  d.say("parameters", params.id_text());
  d.say("ring", fmt::format("{}, dimension {}, {} slots", ring::name(params.ring_type()), params.n(),
                            params.slots()));
  d.say("primes | special", primes);
  d.say("security", fmt::format("{} bits, log2(QP) = {:.1f}", static_cast<int>(params.literal().security),
                                params.log2_qp()));
  d.json["params"] = {{"id", params.id_text()},
                      {"ring", ring::name(params.ring_type())},
                      {"ring_dimension", params.n()},
                      {"slots", params.slots()},
                      {"log2_qp", params.log2_qp()},
                      {"security_bits", static_cast<int>(params.literal().security)},
                      {"primes", params.literal().moduli},
                      {"special", params.literal().special}};
  return d;
}

Description describe_client(const plan::ClientPlan& plan, const std::string& type) {
  Description d;
  d.say("type", type);
  d.say("plan", engine::id_text(plan.id));
  d.say("model", plan.model_name);
  d.say("input",
        fmt::format("{}, values {:g} to {:g}, {} limbs, scale 2^{:.1f}", model::to_string(plan.input_shape),
                    plan.input_low, plan.input_high, plan.input_limbs, std::log2(plan.input_scale)));
  const Taken taken = taken_by(plan, {});
  d.say("takes", feeds_text(taken));
  if (const auto rule = rule_text(taken); !rule.empty()) d.say("decision", rule);
  if (!plan.form.classes.empty()) d.say("classes", fmt::format("{}", fmt::join(plan.form.classes, ", ")));
  d.say("images a batch",
        fmt::format("{}, in {} ciphertexts of {} {} an image", plan::images_per_batch(plan),
                    plan::input_ciphertexts(plan), plan.blocks, plan.blocks == 1 ? "block" : "blocks"));
  d.say("output", fmt::format("{} values, {} polynomials of {} limbs, scale 2^{:.1f}", plan.outputs,
                              plan.output_polys, plan.output_limbs, std::log2(plan.output_scale)));
  if (plan.public_key) d.say("public key", "allowed for: images may be encrypted without the secret key");
  d.say("measured on", plan.statistics.images == 0
                           ? "images of which the plan says nothing"
                           : fmt::format("{} images, with their statistics", plan.statistics.images));
  d.json = {{"type", type},
            {"statistics_images", plan.statistics.images},
            {"plan", engine::id_text(plan.id)},
            {"model", plan.model_name},
            {"input_shape", plan.input_shape},
            {"outputs", plan.outputs},
            {"pixels", {{"low", plan.form.low}, {"high", plan.form.high}}},
            {"threshold", plan.form.threshold},
            {"classes", plan.form.classes},
            {"blocks", plan.blocks},
            {"images_per_batch", plan::images_per_batch(plan)},
            {"relinearise_limbs", plan.keys.relinearise_limbs},
            {"public_key", plan.public_key},
            {"rotations", Json::array()}};
  for (const auto& r : plan.keys.rotations)
    d.json["rotations"].push_back({{"steps", r.steps}, {"limbs", r.limbs}});
  if (!plan.keys.rotations.empty()) d.say("rotation keys", std::to_string(plan.keys.rotations.size()));
  return describe_parameters(std::move(d), ckks::Parameters(plan.params));
}

// `bytes` are those of the file `path`.
Description describe_key(std::span<const std::uint8_t> bytes, const std::string& path, FileType type) {
  const std::string name = type_name(type);
  const std::uint32_t version = type == FileType::evaluation_keys ? ckks::kEvaluationKeysVersion : 1;
  ByteReader r(unwrap(bytes, type, version, path), path);
  engine::Id params, key;
  std::ranges::copy(r.get_bytes(params.size()), params.begin());
  std::ranges::copy(r.get_bytes(key.size()), key.begin());
  Description d;
  d.say("type", name);
  d.say("key", engine::id_text(key));
  d.say("parameters", engine::id_text(params));
  d.say("size", format_bytes(static_cast<double>(bytes.size())));
  d.json = {{"type", name},
            {"key", engine::id_text(key)},
            {"params", engine::id_text(params)},
            {"bytes", bytes.size()}};
  return d;
}

Description describe_batch(const std::string& path, std::span<const std::uint8_t> head, std::uint64_t size) {
  const auto h = engine::parse_batch_header(head, path);
  engine::check_batch_size(h, size, path);
  const std::string type = engine::type_text(h.type);
  Description d;
  d.say("type", type);
  d.say("images", std::to_string(h.images));
  d.say("ciphertexts", std::to_string(h.ciphertexts));
  d.say("plan", engine::id_text(h.plan));
  d.say("parameters", engine::id_text(h.params));
  d.say("key", engine::id_text(h.origin.key));
  d.say("batch", engine::id_text(h.origin.batch));
  d.say("size", format_bytes(static_cast<double>(size)));
  d.json = {{"type", type},
            {"images", h.images},
            {"ciphertexts", h.ciphertexts},
            {"plan", engine::id_text(h.plan)},
            {"params", engine::id_text(h.params)},
            {"key", engine::id_text(h.origin.key)},
            {"batch", engine::id_text(h.origin.batch)},
            {"bytes", size}};
  return d;
}

Json pixels_json(const model::Pixels& p) {
  return {{"low", p.low},
          {"high", p.high},
          {"mean", p.mean},
          {"std", p.deviation},
          {"stated", p.origin != model::Pixels::Origin::assumed}};
}

Description describe_model(const std::string& path, const NetworkOptions& options) {
  const auto graph = model::load_onnx(path, to_load_options(options));
  Description d;
  d.say("type", "network (ONNX)");
  d.say("name", graph.name);
  d.say("input", fmt::format("{}, values {:g} to {:g}", model::to_string(graph.input_shape),
                             graph.input_range.low, graph.input_range.high));
  const auto taken = taken_by(graph, {});
  d.say("pixels", model::pixels_text(graph.pixels));
  d.say("takes", feeds_text(taken));
  const auto& outputs = graph.shape_of(graph.output);
  d.say("output", model::to_string(outputs) + (taken.form.outputs == plan::OutputKind::map ? ", a map" : ""));
  d.json = {{"type", "network"},
            {"name", graph.name},
            {"input_shape", graph.input_shape},
            {"pixels", pixels_json(graph.pixels)},
            {"output_shape", outputs},
            {"layers", Json::array()}};
  std::vector<std::vector<std::string>> rows = {{"layer", "kind", "output", "range"}};
  for (const auto& node : graph.nodes) {
    const std::string kind(model::operation_name(node.op));
    const auto range = graph.ranges.find(node.output);
    rows.push_back({node.name, kind, model::to_string(node.shape),
                    range == graph.ranges.end()
                        ? ""
                        : fmt::format("{:.3g} to {:.3g}", range->second.low, range->second.high)});
    d.json["layers"].push_back({{"name", node.name}, {"kind", kind}, {"shape", node.shape}});
  }
  for (const auto& [key, value] : graph.metadata) {
    d.say(key, key == model::kInputStatistics ? "of " + value.substr(0, value.find(' ')) + " images" : value);
    d.json["metadata"][key] = value;
  }
  for (const auto& note : graph.notes) d.say("note", note);
  const auto obstacles = model::obstacles(graph);
  const std::string verdict = obstacles.empty() ? "yes" : "no: " + model::obstacles_text(obstacles, path);
  d.say("can be encrypted", verdict);
  d.json["can_be_encrypted"] = obstacles.empty();
  d.json["obstacles"] = Json::array();
  for (const auto& o : obstacles) d.json["obstacles"].push_back({{"node", o.node}, {"operator", o.what}});
  d.text += "\n" + format_table(rows);
  return d;
}

Description describe(const std::string& path, const NetworkOptions& network) {
  session::finish_set_around(path);
  const InputFile file(path);
  std::vector<std::uint8_t> head(std::min<std::uint64_t>(file.size(), engine::kBatchHeaderBytes));
  file.read_at(0, head);
  const auto type = stated_type(head);
  if (!type) return describe_model(path, network);
  switch (*type) {
    case FileType::client_plan:
      return describe_client(session::load_client_plan(path), "client plan");
    case FileType::server_plan: {
      const auto plan = session::load_server_plan(path);
      auto d = describe_client(plan.client, "server plan");
      d.say("peak memory", fmt::format("{} with {} threads",
                                       format_bytes(static_cast<double>(plan.peak_bytes)), plan.threads));
      d.json["peak_bytes"] = plan.peak_bytes;
      d.text += "\n" + plan::to_text(plan);
      return d;
    }
    case FileType::secret_key:
      forbid_core_dumps();
      return describe_key(session::read_secret_key_file(path).span(), path, *type);
    case FileType::evaluation_keys:
    case FileType::public_key:
      return describe_key(read_framed_file(path, *type), path, *type);
    case FileType::input_batch:
    case FileType::public_batch:
    case FileType::output_batch:
      return describe_batch(path, head, file.size());
  }
  fail_user("{}: a Velum file of unknown type {}; a newer version may have written it", path,
            static_cast<int>(*type));
}

void run(const Options& o) {
  begin_command(o.common, {}, {{"FILE", o.file}});
  const auto d = describe(o.file, o.network);
  fmt::print("{}", d.text);
  write_json(o.common, d.json);
}

}  // namespace

Command make_inspect_command(CLI::App& app) {
  auto* sub = app.add_subcommand("inspect", "Describe any file of Velum, or an ONNX network");
  auto o = std::make_shared<Options>();
  sub->add_option("file", o->file, "A plan, a key, an encrypted batch or a network")
      ->required()
      ->type_name("FILE");
  add_network_options(*sub, o->network);
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
