// Files in Velum's frame (base/container.h), read only when they are what they should be.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/container.h"

namespace velum {

// The whole file, for `unwrap`. Its head is looked at before memory is taken for the rest; of a large one the
// checksum too, piece by piece, so that what is damaged or not a file of Velum costs no more memory than a
// small file.
std::vector<std::uint8_t> read_framed_file(const std::string& path, FileType type);

// What is written to `path`, of the types `writes` (none: not in Velum's frame), must not destroy a file of
// Velum of another kind: throws Error(user) where one is there. `option` names the path to the user.
void require_same_kind(const std::string& option, const std::string& path, std::span<const FileType> writes);

}  // namespace velum
