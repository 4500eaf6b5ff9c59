// Which images of a file a caller wants.
#pragma once

#include <algorithm>
#include <cstddef>

#include "data/dataset.h"

namespace velum::data {

struct Range {
  std::size_t first = 0, count = 0;
};

// The official sets have no validation split: the last `kHeldOut` training images are one, and training has
// the rest.
inline constexpr std::size_t kHeldOut = 5000;

inline std::size_t limited(std::size_t count, const LoadOptions& options) {
  return options.limit ? std::min(count, options.limit) : count;
}

// Of a training file with `total` images (a file smaller than twice kHeldOut gives a tenth for validation).
inline Range held_out_range(std::size_t total, const LoadOptions& options) {
  if (options.split == Split::test) return {0, limited(total, options)};
  const std::size_t held = total >= 2 * kHeldOut ? kHeldOut : total / 10;
  if (options.split == Split::validation) return {total - held, limited(held, options)};
  return {0, limited(total - held, options)};
}

}  // namespace velum::data
