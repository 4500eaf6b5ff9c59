// What a run leaves behind besides the model: a JSON file.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "model/graph.h"
#include "report/report.h"
#include "train/data.h"
#include "train/trainer.h"

namespace velum::train {

struct ReportInput {
  const TrainOptions& options;
  const TrainingData& data;
  const TrainResult& result;
  const model::Graph& graph;
  Metrics train;
  std::optional<Metrics> test;  // absent while choices are still being made
  std::string command;
  std::map<std::string, std::string> notes;  // --note KEY=VALUE
};

// `page`: the same run as a report (report_page.h), whose figures on teacher and activations it repeats.
std::string to_json(const ReportInput& input, const report::Report& page);
// The metadata that travels in the model.
std::map<std::string, std::string> model_metadata(const ReportInput& input);

}  // namespace velum::train
