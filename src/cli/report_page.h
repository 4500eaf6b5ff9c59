// What the commands say about themselves in a report.
#pragma once

#include <string>

#include "cli/common.h"
#include "cli/data_options.h"
#include "report/report.h"
#include "velum/velum.h"

namespace velum::cli {

// Title, subtitle and origin of a page on a network and a data set: command, version, files, date, machine,
// and what the model's file says about its training.
PageInfo begin_page(const std::string& what, const std::string& model, const ModelInfo& info,
                    const data::Dataset& set, const DataOptions& options);
// The same of a report.
report::Report begin_report(const PageInfo& page);
// How the quantised weights came about.
void add_plan_facts(report::Report& report, const ClientPlan& plan);
// The activations' shapes and ranges over some of the images.
std::vector<report::Activation> observed_activations(const Model& model, const data::Dataset& set);

}  // namespace velum::cli
