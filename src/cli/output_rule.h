// What outputs say of a class: the largest of several, or a single one cut at a threshold.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/image_options.h"
#include "report/metrics.h"
#include "session/decision.h"

namespace velum::cli {

// As in session/decision.h.
void settle_outputs(Taken& taken, const model::Graph& graph, double margin, std::optional<double> threshold,
                    std::span<const double> seen = {});
// --threshold in place of a plan's.
void override_threshold(Taken& taken, std::optional<double> threshold);
void add_threshold_option(CLI::App& app, std::optional<double>& threshold);

using session::cut_of;
// For people, one line; empty where the largest of several outputs decides.
std::string rule_text(const Taken& taken);
// Why outputs are not scored by class; empty where they are.
std::string unscored_text(const Taken& taken);

// A line for people where a network is right hardly more often than by chance, on enough images; else empty.
std::string chance_note(const report::Metrics& metrics);

}  // namespace velum::cli
