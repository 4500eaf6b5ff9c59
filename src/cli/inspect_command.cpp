// velum inspect: what a file is and says, without any key.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/container.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "engine/batch_file.h"
#include "model/onnx.h"
#include "plan/passes.h"

namespace velum::cli {

namespace {

struct Options {
  std::string file;
  CommonOptions common;
};

// Text for people and the same facts as JSON.
struct Description {
  std::string text;
  Json json;
  void say(const std::string& name, const std::string& value) {
    text += fmt::format("{:<22} {}\n", name, value);
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
  d.say("output", fmt::format("{} values, {} polynomials of {} limbs, scale 2^{:.1f}", plan.outputs,
                              plan.output_polys, plan.output_limbs, std::log2(plan.output_scale)));
  d.json = {{"type", type},
            {"plan", engine::id_text(plan.id)},
            {"model", plan.model_name},
            {"input_shape", plan.input_shape},
            {"outputs", plan.outputs},
            {"relinearise_limbs", plan.keys.relinearise_limbs}};
  return describe_parameters(std::move(d), ckks::Parameters(plan.params));
}

Description describe_key(const std::string& path, FileType type, const std::string& name) {
  const auto bytes = read_file(path);
  ByteReader r(unwrap(bytes, type, 1, path), path);
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
  const auto h = engine::parse_batch_header(head, size, path);
  const std::string type = h.type == FileType::input_batch ? "encrypted inputs" : "encrypted outputs";
  Description d;
  d.say("type", type);
  d.say("images", std::to_string(h.images));
  d.say("ciphertexts", std::to_string(h.ciphertexts));
  d.say("plan", engine::id_text(h.plan));
  d.say("parameters", engine::id_text(h.params));
  d.say("key", engine::id_text(h.key));
  d.say("size", format_bytes(static_cast<double>(size)));
  d.json = {{"type", type},
            {"images", h.images},
            {"ciphertexts", h.ciphertexts},
            {"plan", engine::id_text(h.plan)},
            {"params", engine::id_text(h.params)},
            {"key", engine::id_text(h.key)},
            {"bytes", size}};
  return d;
}

Description describe_model(const std::string& path) {
  const auto graph = model::load_onnx(path);
  Description d;
  d.say("type", "network (ONNX)");
  d.say("name", graph.name);
  d.say("input", fmt::format("{}, values {:g} to {:g}", model::to_string(graph.input_shape),
                             graph.input_range.low, graph.input_range.high));
  d.json = {{"type", "network"},
            {"name", graph.name},
            {"input_shape", graph.input_shape},
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
  for (const auto& [key, value] : graph.metadata) d.say(key, value), d.json["metadata"][key] = value;
  for (const auto& note : graph.notes) d.say("note", note);
  std::string verdict = "yes";
  try {
    model::require_polynomial(graph);
  } catch (const Error& e) {
    verdict = std::string("no: ") + e.what();
  }
  d.say("can be encrypted", verdict);
  d.json["can_be_encrypted"] = verdict == "yes";
  d.text += "\n" + format_table(rows);
  return d;
}

Description describe(const std::string& path) {
  const InputFile file(path);
  std::vector<std::uint8_t> head(std::min<std::uint64_t>(file.size(), engine::kBatchHeaderBytes));
  file.read_at(0, head);
  constexpr std::string_view magic("VELUM\0", 6);
  if (head.size() < 8 || !std::equal(magic.begin(), magic.end(), head.begin())) return describe_model(path);
  const auto type = static_cast<FileType>(head[6] | head[7] << 8);
  switch (type) {
    case FileType::client_plan:
      return describe_client(load_client_plan(path), "client plan");
    case FileType::server_plan: {
      const auto plan = load_server_plan(path);
      auto d = describe_client(plan.client, "server plan");
      d.say("peak memory", fmt::format("{} with {} threads",
                                       format_bytes(static_cast<double>(plan.peak_bytes)), plan.threads));
      d.json["peak_bytes"] = plan.peak_bytes;
      d.text += "\n" + plan::to_text(plan);
      return d;
    }
    case FileType::secret_key:
      return describe_key(path, type, "secret key");
    case FileType::evaluation_keys:
      return describe_key(path, type, "evaluation keys");
    case FileType::public_key:
      return describe_key(path, type, "public key");
    case FileType::input_batch:
    case FileType::output_batch:
      return describe_batch(path, head, file.size());
  }
  fail_user("{}: a Velum file of unknown type {}; a newer version may have written it", path,
            static_cast<int>(type));
}

void run(const Options& o) {
  const auto d = describe(o.file);
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
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
