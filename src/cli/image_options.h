// What is done to images before a network sees them, and what their classes are called: --resize, --exif,
// --classes.
#pragma once

#include <string>
#include <vector>

#include "cli/common.h"
#include "data/dataset.h"
#include "model/graph.h"
#include "plan/plan.h"

namespace velum::cli {

struct ImageOptions {
  std::string resize, exif;  // empty: stretch and apply, or what a plan says
  std::string classes;       // FILE
};
void add_image_options(CLI::App& app, ImageOptions& options);

// What a network takes and tells apart: what a data set must be.
struct Taken {
  model::Shape shape;
  plan::DataForm form;
  std::size_t outputs = 0;
};
// By the network's file and the options. `classes` in the file's metadata give way to --classes FILE. Throws
// Error(user) where there is not a name for every output.
Taken taken_by(const model::Graph& graph, const ImageOptions& options);
// By a plan, whose form the options may change where they are given.
Taken taken_by(const plan::ClientPlan& plan, const ImageOptions& options);

// How to read a data set that is to feed it.
data::LoadOptions load_options(const Taken& taken);

// For people: what data can feed it.
std::string feeds_text(const Taken& taken);

}  // namespace velum::cli
