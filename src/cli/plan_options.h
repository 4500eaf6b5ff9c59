// How the commands that plan take their request, and the model they plan for.
#pragma once

#include <string>

#include "cli/common.h"
#include "plan/passes.h"

namespace velum::cli {

struct PlanOptions {
  std::string model;
  int batch = 0;
  int security = 128;
  double precision = plan::Request{}.precision_bits;
  std::uint64_t memory = 0;
  std::string ring = "real";
  std::string calibrate;  // DATASET
  double margin = 0.25;
  std::string rates;  // FILE or "builtin"; empty: see rates_file.h
};

void add_plan_options(CLI::App& app, PlanOptions& options);
plan::Request to_request(const PlanOptions& options, int threads);
// Loads the model; ranges come from it, or from --calibrate.
model::Graph load_model(const PlanOptions& options);

}  // namespace velum::cli
