// Names of classes in the order of a network's outputs, and class folders brought to that order.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace velum::data {

// --classes FILE: names, one a line. Throws Error(user) for an empty or repeated one.
std::vector<std::string> read_class_names(const std::string& file);

// Labels of a set whose classes are named, by those names in place of the folders' text order. Throws
// Error(user) for a class that is none of them. `what`: the set, for messages.
void match_classes(Dataset& set, const std::vector<std::string>& names, const std::string& what);

// Whether the names are numbers that text order puts into another order than their own: 0, 1, 10, 2.
bool numbers_out_of_order(const std::vector<std::string>& names);

// The first of them, for a message.
std::string some_of(const std::vector<std::string>& names);

}  // namespace velum::data
