// What a file is and says, without any key.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/container.h"
#include "base/error.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "engine/batch_file.h"
#include "model/input_statistics.h"
#include "plan/passes.h"
#include "session/client_keys.h"
#include "session/decision.h"
#include "session/files.h"
#include "session/plan_states.h"
#include "session/step_table.h"
#include "system/file.h"
#include "system/framed_file.h"
#include "velum/velum.h"

namespace velum {

namespace {

using session::Json;

// The facts for people, and the same as JSON.
struct Description {  // NOLINT(bugprone-exception-escape): of a Json, whose move does not throw
  FileDescription said;
  Json json;

  void say(const std::string& name, const std::string& value) { said.facts.emplace_back(name, value); }
};

std::string bytes_text(std::uint64_t bytes) {
  return format_bytes(static_cast<double>(bytes));
}

void describe_parameters(Description& d, const ParameterInfo& p) {
  d.say("parameters", p.id);
  d.say("ring", fmt::format("{}, dimension {}, {} slots", p.ring, p.ring_dimension, p.slots));
  d.say("primes | special", fmt::format("{} | {}", fmt::join(p.primes, " "), fmt::join(p.special, " ")));
  d.say("security", fmt::format("{} bits, log2(QP) = {:.1f}", p.security_bits, p.log2_qp));
  d.json["params"] = {{"id", p.id},         {"ring", p.ring},       {"ring_dimension", p.ring_dimension},
                      {"slots", p.slots},   {"log2_qp", p.log2_qp}, {"security_bits", p.security_bits},
                      {"primes", p.primes}, {"special", p.special}};
}

Description describe_client(const ClientPlan& client, const std::string& type) {
  const auto& plan = client.state().plan;
  Description d;
  d.said.type = type;
  const auto form = client.form();
  d.said.form = form;
  d.said.input_shape = plan.input_shape;
  d.said.outputs = plan.outputs;
  d.say("plan", client.id());
  d.say("model", plan.model_name);
  d.say("input",
        fmt::format("{}, values {:g} to {:g}, {} limbs, scale 2^{:.1f}", model::to_string(plan.input_shape),
                    plan.input_low, plan.input_high, plan.input_limbs, std::log2(plan.input_scale)));
  if (!form.classes.empty()) d.say("classes", fmt::format("{}", fmt::join(form.classes, ", ")));
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
            {"plan", client.id()},
            {"model", plan.model_name},
            {"input_shape", plan.input_shape},
            {"outputs", plan.outputs},
            {"pixels", {{"low", form.low}, {"high", form.high}}},
            {"threshold", form.threshold},
            {"classes", form.classes},
            {"blocks", plan.blocks},
            {"images_per_batch", plan::images_per_batch(plan)},
            {"relinearise_limbs", plan.keys.relinearise_limbs},
            {"public_key", plan.public_key},
            {"rotations", Json::array()}};
  for (const auto& r : plan.keys.rotations)
    d.json["rotations"].push_back({{"steps", r.steps}, {"limbs", r.limbs}});
  if (!plan.keys.rotations.empty()) d.say("rotation keys", std::to_string(plan.keys.rotations.size()));
  describe_parameters(d, client.parameters());
  return d;
}

Description describe_server(const ServerPlan& server) {
  const auto& plan = server.state().plan;
  auto d = describe_client(server.client(), "server plan");
  d.say("peak memory", fmt::format("{} with {} threads", bytes_text(plan.peak_bytes), plan.threads));
  d.json["peak_bytes"] = plan.peak_bytes;
  d.said.table = plan::to_text(plan);
  return d;
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
  d.said.type = name;
  d.say("key", engine::id_text(key));
  d.say("parameters", engine::id_text(params));
  d.say("size", bytes_text(bytes.size()));
  d.json = {{"type", name},
            {"key", engine::id_text(key)},
            {"params", engine::id_text(params)},
            {"bytes", bytes.size()}};
  return d;
}

Description describe_batch(const std::string& path, std::span<const std::uint8_t> head, std::uint64_t size) {
  const auto h = engine::parse_batch_header(head, path);
  engine::check_batch_size(h, size, path);
  Description d;
  d.said.type = engine::type_text(h.type);
  d.say("images", std::to_string(h.images));
  d.say("ciphertexts", std::to_string(h.ciphertexts));
  d.say("plan", engine::id_text(h.plan));
  d.say("parameters", engine::id_text(h.params));
  d.say("key", engine::id_text(h.origin.key));
  d.say("batch", engine::id_text(h.origin.batch));
  d.say("size", bytes_text(size));
  d.json = {{"type", d.said.type},
            {"images", h.images},
            {"ciphertexts", h.ciphertexts},
            {"plan", engine::id_text(h.plan)},
            {"params", engine::id_text(h.params)},
            {"key", engine::id_text(h.origin.key)},
            {"batch", engine::id_text(h.origin.batch)},
            {"bytes", size}};
  return d;
}

Description describe_model(const std::string& path, const ModelOptions& options) {
  const auto info = Model::load(path, options).inspect();
  Description d;
  d.said.type = "network (ONNX)";
  d.said.form = info.form;
  d.said.input_shape = info.input_shape;
  d.said.outputs = static_cast<std::size_t>(model::element_count(info.output_shape));
  d.say("name", info.name);
  d.say("input", fmt::format("{}, values {:g} to {:g}", model::to_string(info.input_shape),
                             info.input_range.low, info.input_range.high));
  d.say("pixels", info.pixels.text);
  d.say("output",
        model::to_string(info.output_shape) + (info.form.outputs == OutputKind::map ? ", a map" : ""));
  d.json = {{"type", "network"},
            {"name", info.name},
            {"input_shape", info.input_shape},
            {"pixels",
             {{"low", info.pixels.low},
              {"high", info.pixels.high},
              {"mean", info.pixels.mean},
              {"std", info.pixels.deviation},
              {"stated", info.pixels.stated}}},
            {"output_shape", info.output_shape},
            {"layers", Json::array()}};
  std::vector<std::vector<std::string>> rows = {{"layer", "kind", "output", "range"}};
  for (const auto& layer : info.layers) {
    rows.push_back({layer.name, layer.kind, model::to_string(layer.shape),
                    layer.range ? fmt::format("{:.3g} to {:.3g}", layer.range->low, layer.range->high) : ""});
    d.json["layers"].push_back({{"name", layer.name}, {"kind", layer.kind}, {"shape", layer.shape}});
  }
  for (const auto& [key, value] : info.metadata) {
    d.say(key, key == model::kInputStatistics ? "of " + value.substr(0, value.find(' ')) + " images" : value);
    d.json["metadata"][key] = value;
  }
  for (const auto& note : info.notes) d.say("note", note);
  d.say("can be encrypted", info.obstacles.empty() ? "yes" : "no: " + info.obstacles_text);
  d.json["can_be_encrypted"] = info.obstacles.empty();
  d.json["obstacles"] = Json::array();
  for (const auto& o : info.obstacles)
    d.json["obstacles"].push_back({{"node", o.layer}, {"operator", o.what}});
  d.said.table = format_table(rows);
  return d;
}

Description describe(const std::string& path, const ModelOptions& options) {
  session::finish_set_around(path);
  const InputFile file(path);
  std::vector<std::uint8_t> head(std::min<std::uint64_t>(file.size(), engine::kBatchHeaderBytes));
  file.read_at(0, head);
  const auto type = stated_type(head);
  if (!type) return describe_model(path, options);
  switch (*type) {
    case FileType::client_plan:
      return describe_client(ClientPlan::load(path), "client plan");
    case FileType::server_plan:
      return describe_server(ServerPlan::load(path));
    case FileType::secret_key:
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

}  // namespace

FileDescription describe_file(const std::string& path, const ModelOptions& options) {
  auto d = describe(path, options);
  d.said.json = d.json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  return std::move(d.said);
}

}  // namespace velum
