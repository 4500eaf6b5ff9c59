// An ONNX file's bytes, read only when its outline is one of ONNX.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "system/memory.h"

namespace velum::model {

// Walks the fields of the model and of its graph by their lengths first, so that what is no ONNX file, or was
// cut, costs no memory; nor does a large one of holes, or one that does not fit the memory `available` twice
// (its bytes, and what they are parsed to). Throws Error(user).
std::vector<std::uint8_t> read_onnx_file(const std::string& path,
                                         std::optional<std::uint64_t> available = available_memory_bytes());

}  // namespace velum::model
