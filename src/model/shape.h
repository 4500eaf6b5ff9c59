// The shape of a tensor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace velum::model {

// Without the batch axis: {C, H, W} for feature maps, {F} for vectors. Element order is row-major.
using Shape = std::vector<std::int64_t>;
std::int64_t element_count(const Shape& s);
std::string to_string(const Shape& s);  // "3x32x32"

}  // namespace velum::model
