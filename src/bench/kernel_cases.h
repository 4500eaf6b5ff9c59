// Every kernel as a case that can be timed: its body, its work, and what that work takes of each resource.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "bench/limits.h"
#include "kernels/table.h"

namespace velum::bench {

struct KernelCase {
  std::string name;                        // KERNEL/SIZE
  std::string unit;                        // of what is done: "butterflies", "residues", "multiply-adds", ...
  double work = 0;                         // units a call
  double bytes = 0;                        // read and written a call
  std::array<double, kResources> takes{};  // of each resource a call; bytes near or far among them
  std::function<void()> body;              // one call, by the variant that the case was made for
};

// The cases of one variant. Operations of the scheme run by `table` as well: see kernels::use_table.
// `wanted(name)` is asked before a case's memory is made.
std::vector<KernelCase> kernel_cases(const kernels::Table& table,
                                     const std::function<bool(const std::string&)>& wanted);

// The digit product that summaries quote, and the same sums with one modular multiplication a term.
inline constexpr std::size_t kTerms = 576, kOutputs = 96;
inline constexpr int kDigits = 3;
std::string digit_case_name(std::size_t terms, std::size_t rows, int digits);
inline const std::string kPerTermCase = "per_term_product/576x4",
                         kCompiledPerTermCase = "compiled_per_term_product/576x4";
inline const std::string kNttCase = "ntt_forward/8192", kMultiplyCase = "multiply/8192";

}  // namespace velum::bench
