// velum eval: the network in the clear, on labelled images.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/data_options.h"
#include "cli/predictions.h"
#include "model/execute.h"
#include "model/onnx.h"

namespace velum::cli {

namespace {

struct Options {
  std::string model;
  DataOptions data;
  CommonOptions common;
};

// Images executed between two steps of the progress line.
constexpr std::size_t kChunk = 512;

void run(const Options& o) {
  use_threads(o.common);
  const auto graph = model::load_onnx(o.model);
  const auto set = load_data(o.data, graph.input_shape);
  if (set.labels.empty())
    fail_user("{}: no labels to compare with; eval needs a labelled data set", o.data.data);
  std::vector<double> outputs;
  const Stopwatch watch;
  {
    Progress progress("evaluating in the clear", static_cast<double>(set.count()));
    for (std::size_t first = 0; first < set.count(); first += kChunk) {
      const auto count = std::min(kChunk, set.count() - first);
      const auto some = model::execute(
          graph, std::span(set.images).subspan(first * set.elements(), count * set.elements()), count);
      outputs.insert(outputs.end(), some.begin(), some.end());
      progress.set(static_cast<double>(first + count));
    }
  }
  const auto quality = measure(outputs, outputs.size() / set.count(), set.labels, set.classes);
  fmt::print("{}", to_text(quality));
  auto json = to_json(quality);
  json["model"] = o.model;
  json["data"] = set.name;
  json["split"] = o.data.split;
  json["seconds"] = watch.seconds();
  write_json(o.common, json);
}

}  // namespace

Command make_eval_command(CLI::App& app) {
  auto* sub =
      app.add_subcommand("eval", "Evaluate a network in the clear: accuracy, F1, AUC, confusion matrix");
  auto o = std::make_shared<Options>();
  sub->add_option("model", o->model, "The network, an ONNX file")->required()->type_name("MODEL");
  add_data_options(*sub, o->data, true);
  add_common_options(*sub, o->common);
  return {sub, [o] { run(*o); }};
}

}  // namespace velum::cli
