// Timings of the kernels on this machine, one thread.
#pragma once

#include <string>

#include "kernels/table.h"

namespace velum::cli {

struct KernelRates {
  std::string variant;
  double ntt_seconds = 0;        // one forward transform of kNttSize points
  double pointwise = 0;          // residue products a second
  double digit_products = 0;     // residue multiply-adds a second, splitting and recombination included
  double per_term_products = 0;  // the same sums with one modular multiplication a term, by this variant
};

inline constexpr std::size_t kNttSize = 8192;
// The shape of the digit product that is timed: inputs, outputs, digits of a residue.
inline constexpr std::size_t kTerms = 576, kOutputs = 96;
inline constexpr int kDigits = 3;

KernelRates measure_kernels(const kernels::Table& table);

// The sums with one modular multiplication a term as the compiler makes them for this machine
// (bench_per_term.h).
double measure_compiled_per_term();

}  // namespace velum::cli
