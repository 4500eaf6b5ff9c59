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

// (What is done with a form: velum/detail/client_plan.h.)

// As a plan's file has it, and back: the numbers of the kinds are the same.
DataForm public_form(const plan::DataForm& form);
plan::DataForm private_form(const DataForm& form);

// By the network's file: its pixels, the kind of its outputs, the names of its classes.
DataForm form_of(const model::Graph& graph);
// Outputs of a network as classes: one output tells two apart.
std::size_t class_count(std::size_t outputs);

// Decides what a single output is, and where it is cut: the logit of a final Sigmoid at a probability of 0.5,
// a probability (all of its range, without the margin that widened it, in [0, 1]; where no range is recorded,
// all of `seen`) at 0.5, any other at 0. Throws Error(user) for a threshold where there is nothing to cut.
// `margin`: by which ranges were widened; negative: unknown.
void settle_outputs(DataForm& form, std::size_t outputs, const model::Graph& graph, double margin,
                    std::optional<double> threshold, std::span<const double> seen = {});

}  // namespace velum::session
