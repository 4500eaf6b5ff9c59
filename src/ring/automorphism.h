// Rotations of the slots: the automorphisms X -> X^(5^r) of both rings.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ring/ring.h"

namespace velum::ring {

// The rotation that brings slot j + steps to slot j (indices modulo the number of slots).
//
// Slot j is the value at zeta^(5^j), and (X -> X^(5^r)) a has at x the value of a at x^(5^r). So the slots
// move by r, and the residues of a transformed polynomial are permuted: out[k] = in[source()[k]], the same
// for all moduli. An automorphism maps each node of the transform's tree onto a node of its level; hence
// every aligned group of 2^i residues comes, permuted, from one aligned group of 2^i.
class Rotation {
 public:
  Rotation(RingType type, std::size_t n, std::int64_t steps);
  // Normalised: 0 <= steps < slots.
  std::uint32_t steps() const { return steps_; }
  std::size_t n() const { return source_.size(); }
  std::span<const std::uint32_t> source() const { return source_; }

 private:
  std::uint32_t steps_ = 0;
  std::vector<std::uint32_t> source_;
};

// Steps modulo the number of slots, 0 <= steps < slots: -1 is slots - 1.
constexpr std::uint32_t normalised_steps(std::int64_t steps, std::size_t slots) {
  const auto m = static_cast<std::int64_t>(slots);
  return static_cast<std::uint32_t>((steps % m + m) % m);
}

}  // namespace velum::ring
