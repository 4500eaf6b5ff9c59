// Image files named in a table: FILE.csv with a line "path,label" or "path" for each image.
#pragma once

#include <string>

#include "data/dataset.h"

namespace velum::data {

// Paths are relative to the table's folder. A first line that names the columns ("path" or "file", and
// "label" or "class", in any case) may put them in any order among others; without it they are the first two.
// Labels are names of classes, sorted as text; where all are whole numbers, they are the labels themselves.
// The list is one split by itself, whichever is asked for.
Dataset load_list(const std::string& file, const LoadOptions& options);

}  // namespace velum::data
