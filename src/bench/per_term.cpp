#include "bench/per_term.h"

#include "base/cpu.h"

namespace velum::bench {

namespace {

using kernels::u64;

// Inlined into callers of each instruction set.
[[gnu::always_inline]] inline void multiply_add(std::span<u64> acc, std::span<const u64> a,
                                                const kernels::Factor& w, u64 q) {
  for (std::size_t i = 0; i < acc.size(); ++i) {
    const u64 high = static_cast<u64>((static_cast<kernels::u128>(a[i]) * w.quotient64) >> 64);
    const u64 rest = a[i] * w.value - high * q;  // < 2q
    const u64 sum = acc[i] + (rest >= q ? rest - q : rest);
    acc[i] = sum >= q ? sum - q : sum;
  }
}

#if defined(__x86_64__)
[[gnu::target("avx512f,avx512dq,avx512bw,avx512vl,bmi,bmi2,adx,fma")]] void with_avx512(
    std::span<u64> acc, std::span<const u64> a, const kernels::Factor& w, u64 q) {
  multiply_add(acc, a, w, q);
}
#endif

}  // namespace

void compiled_per_term(std::span<u64> acc, std::span<const u64> a, const kernels::Factor& w,
                       const kernels::Modulus& m) {
#if defined(__x86_64__)
  static const bool avx512 = detect_cpu().avx512;
  if (avx512) return with_avx512(acc, a, w, m.q);
#endif
  multiply_add(acc, a, w, m.q);
}

}  // namespace velum::bench
