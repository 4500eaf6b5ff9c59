// Where three polynomials become two again: on a stage's outputs, or on its squares before the affine map.
#pragma once

#include "plan/choose/levels.h"
#include "plan/schedule/cost.h"

namespace velum::plan {

struct Placement {
  std::vector<bool>
      sums_relinearised;  // by stage: a sum of squares that is two polynomials again before it is read
  std::vector<bool> squares_first;  // by stage: it reads relinearised squares
  std::vector<std::vector<std::uint32_t>>
      squared;                     // by vector: elements whose relinearised squares some stage reads
  std::uint32_t key_limbs = 0;     // of the tallest ciphertext that is relinearised
  std::uint32_t switch_limbs = 0;  // of the tallest that is relinearised or rotated
};

// A ring whose primes are not chosen yet: all are taken at the most digits that a residue has.
RingSize ring_before_primes(std::size_t n, std::size_t special, std::size_t limbs);

// Compares the costs in a ring of this size, before its primes are chosen.
Placement place_relinearisation(const std::vector<PackedStage>& stages, const Levels& levels, std::size_t n,
                                std::size_t special, const Rates& rates);

// The steps that follow, as costs see them: for each stage its relinearised squares, if it is the first to
// read them, then itself.
struct PlacedWork {
  std::size_t stage = 0;
  std::uint32_t squared_vector = kAbsent;  // set for the step that squares and relinearises this vector
  bool rotation = false;                   // of the stage's inputs or partial sums
  StepWork work;
};
std::vector<PlacedWork> placed_work(const std::vector<PackedStage>& stages, const Levels& levels,
                                    const Placement& placement);

// Polynomials of a stage's result, and how it is finished. Where the stage makes partial sums, each of them
// is finished by `finish`, and their sum by `sum_finish`.
struct StageForm {
  std::uint8_t polys = 2;
  Finish finish = Finish::none;
  Finish sum_finish = Finish::none;
};
StageForm form_of(const PackedStage& stage, const Levels& levels, const Placement& placement);

}  // namespace velum::plan
