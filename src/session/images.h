// A caller's images as the network takes them.
#pragma once

#include <span>
#include <vector>

#include "velum/detail/images.h"

namespace velum::session {

// [image][channel][row][column], 0 for black and 1 for white.
struct Pixels {
  std::vector<float> converted;  // empty where the caller's floats are right as they are
  std::span<const float> values;
  std::size_t elements = 0;
  std::size_t count() const { return values.size() / elements; }
};
// Throws Error(user) where they are no whole number, at least one, of images of this shape, or their order or
// range says nothing. The caller's values must outlive it.
Pixels pixels_of(const Images& images, const std::vector<std::int64_t>& shape);

}  // namespace velum::session
