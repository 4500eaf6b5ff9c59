// How the commands that plan take their request, and the model they plan for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/common.h"
#include "cli/data_options.h"
#include "cli/network_options.h"
#include "cli/output_rule.h"
#include "velum/model.h"

namespace velum::cli {

struct PlanOptions {
  std::string model;
  std::optional<std::uint64_t> batch;  // --batch
  std::string packing = "auto";
  std::uint32_t blocks = 0;
  int security = 128;
  double precision = 0;
  std::uint64_t memory = 0;
  bool public_key = false, small_results = false;
  std::string ring = "real";
  std::string calibrate;  // DATASET
  double margin = 0.25;
  NetworkOptions network;
  ImageOptions images;
  std::optional<double> threshold;
  std::string rates;  // FILE or "builtin"; empty: $VELUM_RATES, else the user's file
};

void add_plan_options(CLI::App& app, PlanOptions& options);
// `images`: the batch where --batch is not given.
PlanRequest to_request(const PlanOptions& options, int threads, std::uint64_t images = 0);
// A network, what its file says, what it takes, and what its outputs say.
struct LoadedModel {
  Model model;
  ModelInfo info;
  Taken taken;
};
// Loads the model; ranges come from it, or from --calibrate.
LoadedModel load_model(const PlanOptions& options);
// As in output_rule.h, with what is known of the ranges.
void settle_outputs(LoadedModel& loaded, const PlanOptions& options, std::span<const double> seen = {});
// The files that a command with these options reads.
NamedPaths inputs_of(const PlanOptions& plan, const DataOptions& data);

}  // namespace velum::cli
