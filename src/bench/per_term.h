// The baseline that the digit product is measured against: the same sums with one modular multiplication a
// term.
#pragma once

#include <span>

#include "kernels/types.h"

namespace velum::bench {

// acc[i] = acc[i] + w a[i] mod q, one Shoup multiplication a term as any library offers it, by plain C++ that
// the compiler may turn into whatever this machine has (AVX-512 and BMI2 where they are). docs/decisions/006
// says why this form.
void compiled_per_term(std::span<kernels::u64> acc, std::span<const kernels::u64> a, const kernels::Factor& w,
                       const kernels::Modulus& m);

}  // namespace velum::bench
