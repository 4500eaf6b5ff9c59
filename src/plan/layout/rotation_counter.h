// How many rotations and products a stage takes in given layouts, before any weight is looked at.
#pragma once

#include <cstdint>
#include <tuple>
#include <vector>

#include "plan/layout/block_layout.h"
#include "plan/lower/network.h"

namespace velum::plan {

// The counts that a choice is made by, without weights.
struct StageRotations {
  std::uint64_t inputs = 0;    // ciphertexts that are rotated
  std::uint64_t rotated = 0;   // rotated copies of inputs
  std::uint64_t partials = 0;  // sums, whether rotated or not
  std::uint64_t giants = 0;    // of those, rotated
  std::uint64_t products = 0;  // ciphertexts times weights
};
class RotationCounter {
 public:
  RotationCounter(const Network& network, const std::vector<BlockLayout>& layouts, std::size_t stage);
  StageRotations count(std::uint32_t giant) const;

 private:
  // Ciphertexts that read the same ones, by rotation.
  struct Kind {
    std::vector<std::tuple<std::size_t, std::uint32_t, std::int32_t>> links;  // range, ciphertext, rotation
    std::size_t outputs = 0;
  };
  std::vector<Kind> kinds_;
};

}  // namespace velum::plan
