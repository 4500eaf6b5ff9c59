// Images in class folders: DIR/[train|val|test]/CLASS/NAME.png, .jpg or .jpeg.
#pragma once

#include <string>

#include "data/dataset.h"

namespace velum::data {

// Classes are sorted by name over all splits, so every split gives them the same labels; images by class,
// then name. A limit takes images evenly over that order, so that every class stays present. A folder without
// split folders is one split by itself, whichever is asked for. Images are brought to the wanted shape, or to
// that of the first one.
Dataset load_folder(const std::string& folder, const LoadOptions& options);

}  // namespace velum::data
