// What is done to images before a network sees them, and what their classes are called: --resize, --exif,
// --classes.
#pragma once

#include <string>
#include <vector>

#include "cli/common.h"
#include "data/dataset.h"
#include "velum/model.h"

namespace velum::cli {

struct ImageOptions {
  std::string resize, exif;  // empty: stretch and apply, or what a plan says
  std::string classes;       // FILE
};
void add_image_options(CLI::App& app, ImageOptions& options);

// What a network takes and tells apart: what a data set must be.
struct Taken {
  std::vector<std::int64_t> shape;
  DataForm form;
  std::size_t outputs = 0;
};
// By the network's file and the options. `classes` in the file's metadata give way to --classes FILE. Throws
// Error(user) where there is not a name for every output.
Taken taken_by(const ModelInfo& network, const ImageOptions& options);
// By a plan, whose form the options may change where they are given.
Taken taken_by(const ClientPlan& plan, const ImageOptions& options);

// Numbers of an image, and its shape for people: "3x32x32".
std::size_t element_count(const std::vector<std::int64_t>& shape);
std::string shape_text(const std::vector<std::int64_t>& shape);

// How to read a data set that is to feed it.
data::LoadOptions load_options(const Taken& taken);

// For people: what data can feed it.
std::string feeds_text(const std::vector<std::int64_t>& shape, const DataForm& form);

}  // namespace velum::cli
