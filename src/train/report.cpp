#include "train/report.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/cpu.h"
#include "model/class_names.h"
#include "report/report.h"

namespace velum::train {

namespace {

using Json = nlohmann::ordered_json;

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
                   {"rms", found->second.rms},
                   {"typical", found->second.typical}});
  }
  return out;
}

// Indented to the second level, a line for everything deeper: one line an epoch, one a row of the confusion
// matrix.
void print(std::string& out, const Json& value, std::size_t depth) {
  const bool object = value.is_object();
  const bool flat = !(object || value.is_array()) || value.empty() || depth >= 2 ||
                    (value.is_array() && !value.front().is_structured());
  if (flat) {
    out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
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

Json to_json(const std::vector<EpochRecord>& history) {
  Json out = Json::array();
  for (const auto& e : history) {
    Json line{
        {"epoch", e.epoch}, {"lr", e.learning_rate}, {"loss", e.loss}, {"train_accuracy", e.train_accuracy}};
    if (e.validation_accuracy >= 0) {
      line["validation_accuracy"] = e.validation_accuracy;
      line["validation_loss"] = e.validation_loss;
    }
    if (e.replaced < 1) line["replaced"] = e.replaced;
    line["seconds"] = e.seconds;
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace

std::string to_json(const ReportInput& r, const report::Report& page) {
  Json out;
  out["command"] = r.command;
  out["date"] = utc_now();
  out["machine"] = cpu_name();
  out["threads"] = at::get_num_threads();
  out["torch"] = TORCH_VERSION;
  for (const auto& [key, value] : r.notes) out[key] = value;
  out["options"] = describe(r.options);
  out["classes"] = r.data.classes;
  for (const auto& e : page.evaluations) {
    // Short names, as the splits are called on the command line.
    const auto name = e.name == "training" ? "train" : e.name.starts_with("teacher") ? "teacher" : e.name;
    out[name] = report::to_json(e.metrics);
  }
  out["ranges"] = ranges_of(r.graph);
  const auto shapes = report::to_json(page);
  out["activations"] = shapes.at("activations");
  out["seconds"] = r.result.seconds;
  out["history"] = to_json(r.result.history);
  if (!r.result.teacher_history.empty()) out["teacher_history"] = to_json(r.result.teacher_history);
  std::string text;
  print(text, out, 0);
  return text + "\n";
}

std::map<std::string, std::string> model_metadata(const ReportInput& r) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : describe(r.options)) out["train." + key] = value;
  out["data"] = r.data.name;
  if (auto names = model::class_names_text(r.data.classes); !names.empty())
    out[model::kClassNames] = std::move(names);
  out["seed"] = std::to_string(r.options.seed);
  if (r.test) out["accuracy.test"] = fmt::format("{:.4f}", r.test->accuracy);
  if (r.result.validation) out["accuracy.validation"] = fmt::format("{:.4f}", r.result.validation->accuracy);
  return out;
}

}  // namespace velum::train
