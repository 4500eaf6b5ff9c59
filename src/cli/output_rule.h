// What outputs say of a class: the largest of several, or a single one cut at a threshold.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/image_options.h"
#include "report/metrics.h"

namespace velum::cli {

// What a single output is, and where it is cut, as Model::form() has it.
void settle_outputs(Taken& taken, const Model& model, std::optional<double> threshold,
                    std::span<const double> seen = {});
void add_threshold_option(CLI::App& app, std::optional<double>& threshold);

// For people, one line; empty where the largest of several outputs decides.
std::string rule_text(const Taken& taken);
// Why outputs are not scored by class; empty where they are.
std::string unscored_text(const Taken& taken);

// A line for people where a network is right hardly more often than by chance, on enough images; else empty.
std::string chance_note(const report::Metrics& metrics);

}  // namespace velum::cli
