// What the commands say about themselves in a report.
#pragma once

#include <string>

#include "cli/common.h"
#include "cli/data_options.h"
#include "model/graph.h"
#include "plan/plan.h"
#include "report/report.h"

namespace velum::cli {

// Title, subtitle and origin of a report on a network and a data set: files, date, machine, threads, and what
// the model's file says about its training.
report::Report begin_report(const std::string& what, const std::string& model, const model::Graph& graph,
                            const data::Dataset& set, const DataOptions& options);
// How the quantised weights or the encrypted run came about.
void add_plan_facts(report::Report& report, const plan::ServerPlan& plan);
// The activations' shapes and ranges over some of the images.
std::vector<report::Activation> observed_activations(const model::Graph& graph, const data::Dataset& set);

}  // namespace velum::cli
