#include "train/report.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "report/report.h"

namespace velum::train {

namespace {

using Json = nlohmann::ordered_json;

std::string now_utc() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// With the data set's names for the classes, and curves as fine as a drawing needs them.
Json named_json(Metrics m, const std::vector<std::string>& classes) {
  for (std::size_t c = 0; c < std::min(classes.size(), m.classes.size()); ++c) m.classes[c].name = classes[c];
  return report::to_json(report::thinned(std::move(m)));
}

Json ranges_of(const model::Graph& graph) {
  Json out = Json::array();
  for (const auto& node : graph.nodes) {
    if (!std::holds_alternative<model::Quadratic>(node.op)) continue;
    const auto found = graph.ranges.find(node.inputs.at(0));
    if (found == graph.ranges.end()) continue;
    out.push_back({{"activation", node.name},
                   {"elements", model::element_count(node.shape)},
                   {"low", found->second.low},
                   {"high", found->second.high},
                   {"rms", found->second.rms}});
  }
  return out;
}

}  // namespace

namespace {

// Indented to the second level, a line for everything deeper: one line an epoch, one a row of the confusion
// matrix.
void print(std::string& out, const Json& value, std::size_t depth) {
  const bool object = value.is_object();
  const bool flat = !(object || value.is_array()) || value.empty() || depth >= 2 ||
                    (value.is_array() && !value.front().is_structured());
  if (flat) {
    out += value.dump();
    return;
  }
  out += object ? '{' : '[';
  bool first = true;
  for (const auto& item : value.items()) {
    if (!first) out += ',';
    first = false;
    out += '\n';
    out.append(depth + 1, ' ');
    if (object) out.append(Json(item.key()).dump()).append(": ");
    print(out, item.value(), depth + 1);
  }
  out += '\n';
  out.append(depth, ' ');
  out += object ? '}' : ']';
}

}  // namespace

std::string to_json(const ReportInput& r) {
  Json history = Json::array();
  for (const auto& e : r.result.history) {
    Json line{
        {"epoch", e.epoch}, {"lr", e.learning_rate}, {"loss", e.loss}, {"train_accuracy", e.train_accuracy}};
    if (e.validation_accuracy >= 0) {
      line["validation_accuracy"] = e.validation_accuracy;
      line["validation_loss"] = e.validation_loss;
    }
    line["seconds"] = e.seconds;
    history.push_back(std::move(line));
  }
  Json out;
  out["command"] = r.command;
  out["date"] = now_utc();
  out["machine"] = cpu_name();
  out["threads"] = at::get_num_threads();
  out["torch"] = TORCH_VERSION;
  for (const auto& [key, value] : r.notes) out[key] = value;
  out["options"] = describe(r.options);
  out["classes"] = r.data.classes;
  out["train"] = named_json(r.train, r.data.classes);
  if (r.result.validation) out["validation"] = named_json(*r.result.validation, r.data.classes);
  if (r.test) out["test"] = named_json(*r.test, r.data.classes);
  out["ranges"] = ranges_of(r.graph);
  out["seconds"] = r.result.seconds;
  out["history"] = std::move(history);
  std::string text;
  print(text, out, 0);
  return text + "\n";
}

std::map<std::string, std::string> model_metadata(const ReportInput& r) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : describe(r.options)) out["train." + key] = value;
  out["data"] = r.data.name;
  out["seed"] = std::to_string(r.options.seed);
  if (r.test) out["accuracy.test"] = fmt::format("{:.4f}", r.test->accuracy);
  if (r.result.validation) out["accuracy.validation"] = fmt::format("{:.4f}", r.result.validation->accuracy);
  return out;
}

}  // namespace velum::train
