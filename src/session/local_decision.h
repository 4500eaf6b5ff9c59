// What a network's file says of its images and outputs.
#pragma once

#include <optional>
#include <span>

#include "model/graph.h"
#include "velum/detail/data_form.h"

namespace velum::session {

// By the network's file: its pixels, the kind of its outputs, the names of its classes.
DataForm form_of(const model::Graph& graph);

// Decides what a single output is, and where it is cut: the logit of a final Sigmoid at a probability of 0.5,
// a probability (all of its range, without the margin that widened it, in [0, 1]; where no range is recorded,
// all of `seen`) at 0.5, any other at 0. Throws Error(user) for a threshold where there is nothing to cut.
// `margin`: by which ranges were widened; negative: unknown.
void settle_outputs(DataForm& form, std::size_t outputs, const model::Graph& graph, double margin,
                    std::optional<double> threshold, std::span<const double> seen = {});

}  // namespace velum::session
