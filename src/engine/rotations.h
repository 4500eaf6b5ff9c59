// Steps of StepKind::rotation: the rotations that a plan uses, and how a task of them is run.
#pragma once

#include <cstdint>
#include <map>

#include "ckks/eval/evaluator.h"
#include "engine/prepared_step.h"
#include "engine/value_store.h"
#include "engine/workers.h"

namespace velum::engine {

// A permutation and its key for every shift of a plan.
class Rotations {
 public:
  // Throws Error(user) where a key is missing or too low; the keys must outlive it.
  Rotations(const plan::ServerPlan& plan, const ckks::Parameters& params, const ckks::EvaluationKeys& keys);

  struct Rotation {
    ring::Rotation by;
    const ckks::SwitchKey* key = nullptr;
  };
  const Rotation& at(std::int32_t shift) const { return rotations_.at(shift); }

 private:
  std::map<std::int32_t, Rotation> rotations_;
};

// Outputs [begin, end) of the step. Digits of an input are lifted once for all its outputs that stand
// together. Parallel over inputs; over their outputs where fewer inputs are left than there are threads.
void run_rotations(const PreparedStep& prepared, std::uint32_t begin, std::uint32_t end,
                   const Rotations& rotations, const ckks::Evaluator& evaluator, ValueStore& store,
                   Workers& workers);

}  // namespace velum::engine
