#include "dot_product_peak.h"

#if VELUM_KERNELS_X86
#include <immintrin.h>
#endif

namespace velum::bench {

#if VELUM_KERNELS_X86
namespace {

// Twenty sums hide five cycles of latency at two instructions a cycle with room to spare. Assembly, because a
// compiler would move registers about or leave out what has no use.
[[gnu::target("avx512f,avx512vnni")]] void rounds_avx512(std::size_t rounds) {
  const __m512i x = _mm512_set1_epi16(3), w = _mm512_set1_epi16(5);
  for (; rounds > 0; --rounds) {
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19\n\t"
        "vpdpwssd %0, %1, %%zmm\\r\n\t"
        ".endr"
        :
        : "v"(x), "v"(w)
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
          "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19");
  }
}

// AVX2 needs a product and an addition for the same work.
[[gnu::target("avx2")]] void rounds_avx2(std::size_t rounds) {
  const __m256i x = _mm256_set1_epi16(3), w = _mm256_set1_epi16(5);
  for (; rounds > 0; --rounds) {
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9\n\t"
        "vpmaddwd %0, %1, %%ymm12\n\t"
        "vpaddd %%ymm12, %%ymm\\r, %%ymm\\r\n\t"
        ".endr"
        :
        : "x"(x), "x"(w)
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm12");
  }
}

}  // namespace

double dot_product_rounds(std::string_view variant, std::size_t rounds) {
  if (variant == "avx512") return rounds_avx512(rounds), static_cast<double>(rounds) * 20 * 32;
  if (variant == "avx2") return rounds_avx2(rounds), static_cast<double>(rounds) * 10 * 16;
  return 0;
}
#else
double dot_product_rounds(std::string_view, std::size_t) {
  return 0;
}
#endif

}  // namespace velum::bench
