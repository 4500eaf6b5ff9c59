// An ONNX file's bytes, read only when its outline is one of ONNX.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace velum::model {

// Walks the fields of the model and of its graph by their lengths first, so that what is no ONNX file, or was
// cut, costs no memory. Throws Error(user).
std::vector<std::uint8_t> read_onnx_file(const std::string& path);

}  // namespace velum::model
