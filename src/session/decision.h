// What a network takes and what its outputs say of a class: the largest of several, or a single one cut at a
// threshold.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/graph.h"
#include "plan/plan.h"
#include "velum/detail/client_plan.h"

namespace velum::session {

// By the network's file: its pixels, the kind of its outputs, the names of its classes.
plan::DataForm form_of(const model::Graph& graph);
// Outputs of a network as classes: one output tells two apart.
std::size_t class_count(std::size_t outputs);

// Decides what a single output is, and where it is cut: the logit of a final Sigmoid at a probability of 0.5,
// a probability (all of its range, without the margin that widened it, in [0, 1]; where no range is recorded,
// all of `seen`) at 0.5, any other at 0. Throws Error(user) for a threshold where there is nothing to cut.
// `margin`: by which ranges were widened; negative: unknown.
void settle_outputs(plan::DataForm& form, std::size_t outputs, const model::Graph& graph, double margin,
                    std::optional<double> threshold, std::span<const double> seen = {});
// A threshold in place of a plan's.
void override_threshold(plan::DataForm& form, std::size_t outputs, std::optional<double> threshold);

// The same cut for the outputs as they are encrypted.
double cut_of(const plan::DataForm& form);
// Why outputs are not scored by class; empty where they are.
std::string unscored_text(const plan::DataForm& form, std::size_t outputs);

// Of values[image][outputs], as they are encrypted.
std::vector<Prediction> decide(const plan::DataForm& form, std::size_t outputs,
                               std::span<const double> values);

}  // namespace velum::session
