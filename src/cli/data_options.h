// --data and its companions, and data sets checked against what a network takes.
#pragma once

#include <string>

#include "cli/common.h"
#include "cli/image_options.h"
#include "data/dataset.h"

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
// What a command does with the labels of a data set.
enum class Labels {
  scored,    // nothing else is wanted: classes that are not known to be the outputs are refused
  if_known,  // outputs are written too: such classes are left unscored, with a note
  unused
};
// Images of the form that a network takes, with labels that number its outputs: class folders are matched by
// the network's class names where it has some, else numbered in text order where there are as many as
// outputs, with a note where that is not the order of their numbers. Throws Error(user) where the images have
// another shape, a class is none of the network's, or by `labels`.
data::Dataset load_data(const DataOptions& options, const Taken& taken, Labels labels);
// As load_data, for the images of another DATASET alone (--calibrate).
data::Dataset load_images(const std::string& spec, const data::LoadOptions& options, const Taken& taken);
// Throws Error(user) at the first pixel that is not a number in the range.
void check_pixels(const data::Dataset& set, const Range& range);
// Throws Error(user) at the first label that is no class of the network.
void check_labels(const data::Dataset& set, const Taken& taken);

}  // namespace velum::cli
