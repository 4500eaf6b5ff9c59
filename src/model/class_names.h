// Names of a classifier's classes, in the order of its outputs. They travel in the model's metadata, so that
// the labels of images in class folders, which follow the alphabet, can be brought to that order.
#pragma once

#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::model {

// Empty where the model has none recorded.
std::vector<std::string> class_names(const Graph& graph);
// What stands in the metadata under kClassNames: the names with '/' between them, which no folder's name
// holds. Empty where a name has a '/' or is empty: then they are not recorded.
std::string class_names_text(const std::vector<std::string>& names);

inline constexpr const char* kClassNames = "classes";

}  // namespace velum::model
