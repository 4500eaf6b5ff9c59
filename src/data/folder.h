// Images in folders: DIR/[train|val|test]/CLASS/.../NAME.png, or without classes DIR/NAME.png.
#pragma once

#include <string>

#include "data/dataset.h"

namespace velum::data {

// Split folders are known by their usual names (train, training; val, valid, validation; test, testing) in
// any case. Classes are the folders in a split, sorted by name over all splits, so every split gives them
// the same labels; images of a class lie in its folder or anywhere below it, by folder, then name. A folder
// without split folders is one split by itself, whichever is asked for; one without class folders holds
// images without labels. Hidden files and what archives leave behind (__MACOSX) are passed over; files of
// other kinds are counted in a note.
Dataset load_folder(const std::string& folder, const LoadOptions& options);

}  // namespace velum::data
