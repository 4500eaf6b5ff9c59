// Which moduli each vector lives over: one prime fewer after every rescale (docs/design.md, "Levels and
// scales").
#pragma once

#include "plan/layout/pack.h"

namespace velum::plan {

struct StageLevel {
  std::uint32_t limbs = 0;  // at which its affine map is computed
  int degree = 1;           // of its sources: 2 where there are squares (or sums of squares) among them
  bool rescales = false;
};

struct Levels {
  std::uint32_t limbs = 0;  // of the input: the length of the chain
  bool rescale_first = false;
  // The last stage's result is relinearised and divided by the second modulus: two polynomials of one limb in
  // place of three of two, for a key switch an output.
  bool small_result = false;
  std::uint32_t depth = 0;  // squares on the longest path
  std::vector<std::uint32_t> vector_limbs;
  std::vector<int> vector_degree;  // 2: three polynomials at the scale of squares
  std::vector<StageLevel> stages;
};

// With `rescale_first`, stages of the fresh input rescale too: one modulus more, and the first square starts
// from a value as small as all others, which leaves its level bits for a higher precision.
Levels assign_levels(const std::vector<PackedStage>& stages, bool rescale_first = false);

// Whether the last stage has a second modulus to divide by: it reads squares, and makes no mere sum of them.
bool may_have_small_result(const std::vector<PackedStage>& stages, const Levels& levels);
Levels with_small_result(Levels levels);

}  // namespace velum::plan
