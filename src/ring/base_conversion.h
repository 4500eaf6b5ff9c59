// The constants of a base conversion (see kernels::BaseConversion), with the memory behind them.
#pragma once

#include <span>
#include <vector>

#include "ring/ring.h"

namespace velum::ring {

// From the moduli of `ring` with indices `sources` to those with indices `targets`.
class BaseConversion {
 public:
  BaseConversion(const Ring& ring, std::span<const std::size_t> sources,
                 std::span<const std::size_t> targets);

  std::size_t sources() const { return source_moduli_.size(); }
  std::size_t targets() const { return target_moduli_.size(); }
  kernels::BaseConversion view() const;

 private:
  std::vector<kernels::Modulus> source_moduli_, target_moduli_;
  std::vector<kernels::Factor> punctured_inverse_;
  std::vector<u64> punctured_;  // [targets][sources]
  std::vector<u64> product_;    // [targets]
};

}  // namespace velum::ring
