// --data and its companions, and data sets checked against what a network takes.
#pragma once

#include <string>

#include "cli/common.h"
#include "data/dataset.h"
#include "model/graph.h"

namespace velum::cli {

struct DataOptions {
  std::string data;  // DATASET
  std::string split = "test";
  std::size_t limit = 0;
  std::uint64_t seed = 1;
  bool skip_bad = false;
};

// `required`: whether --data must be given.
void add_data_options(CLI::App& app, DataOptions& options, bool required);
// Throws Error(user) where the images have another shape than the network's input.
data::Dataset load_data(const DataOptions& options, const model::Shape& input_shape);
// The same for a network whose classes may be recorded: images in class folders, whose labels follow the
// alphabet, get those of the network's outputs. Throws Error(user) for a class that the network does not
// have.
data::Dataset load_data(const DataOptions& options, const model::Graph& graph);
// As load_data, for another DATASET under the same options (--calibrate).
data::Dataset load_data(const std::string& spec, const data::LoadOptions& options,
                        const model::Shape& input_shape);
// Throws Error(user) at the first pixel that is not a number in [low, high].
void check_pixels(const data::Dataset& set, double low, double high);

}  // namespace velum::cli
