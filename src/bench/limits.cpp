#include "bench/limits.h"

#include <time.h>

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "bench/machine.h"
#include "system/memory.h"

namespace velum::bench {

namespace {

// Rounds of one instruction on registers, all independent enough to hide its latency; `work` is what a round
// does. Assembly, because a compiler would move registers about or leave out what has no use.
struct Loop {
  const char* name;
  double work;
  void (*run)(std::size_t rounds);
};

#if defined(__x86_64__)

[[gnu::target("avx512f,avx512vnni")]] void dot_avx512(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19\n\t"
        "vpdpwssd %%zmm30, %%zmm31, %%zmm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
              "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19");
}

// AVX2 needs a product and an addition for the same work.
[[gnu::target("avx2")]] void dot_avx2(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9\n\t"
        "vpmaddwd %%ymm14, %%ymm15, %%ymm12\n\t"
        "vpaddd %%ymm12, %%ymm\\r, %%ymm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm12");
}

void dot_plain(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        "imul %%eax, %%ecx\n\timul %%eax, %%edx\n\timul %%eax, %%esi\n\timul %%eax, %%edi\n\t"
        "imul %%eax, %%r8d\n\timul %%eax, %%r9d\n\timul %%eax, %%r10d\n\timul %%eax, %%r11d" ::
            : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
}

[[gnu::target("avx512f,avx512ifma")]] void product_avx512(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19\n\t"
        "vpmadd52luq %%zmm30, %%zmm31, %%zmm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
              "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19");
}

// Zeros: a number too small to be normal would be slow.
[[gnu::target("avx2,fma")]] void product_avx2(std::size_t rounds) {
  asm volatile(
      ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,14,15\n\t"
      "vpxor %%xmm\\r, %%xmm\\r, %%xmm\\r\n\t"
      ".endr" ::
          : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
            "xmm14", "xmm15");
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vfmadd231pd %%ymm14, %%ymm15, %%ymm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
              "xmm11");
}

void product_plain(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        "mov $3, %%eax\n\tmul %%rcx\n\tmov $3, %%eax\n\tmul %%rcx\n\t"
        "mov $3, %%eax\n\tmul %%rcx\n\tmov $3, %%eax\n\tmul %%rcx" ::
            : "rax", "rdx", "cc");
}

void real_plain(std::size_t rounds) {
  asm volatile(
      ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,15\n\t"
      "pxor %%xmm\\r, %%xmm\\r\n\t"
      ".endr" ::
          : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
            "xmm15");
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5\n\t"
        "mulpd %%xmm15, %%xmm\\r\n\t"
        ".endr\n\t"
        ".irp r, 6,7,8,9,10,11\n\t"
        "addpd %%xmm15, %%xmm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
              "xmm11");
}

[[gnu::target("avx512f")]] void mix_avx512(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpaddd %%zmm15, %%zmm\\r, %%zmm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
              "xmm11");
}

[[gnu::target("avx2")]] void mix_avx2(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "vpaddd %%ymm15, %%ymm\\r, %%ymm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
              "xmm11");
}

void mix_plain(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11\n\t"
        "paddd %%xmm15, %%xmm\\r\n\t"
        ".endr" ::
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
              "xmm11");
}

void mix_words(std::size_t rounds) {
  for (; rounds > 0; --rounds)
    asm volatile(
        "add %%eax, %%ecx\n\tadd %%eax, %%edx\n\tadd %%eax, %%esi\n\tadd %%eax, %%edi\n\t"
        "add %%eax, %%r8d\n\tadd %%eax, %%r9d\n\tadd %%eax, %%r10d\n\tadd %%eax, %%r11d" ::
            : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
}

constexpr Loop kDot512{"vpdpwssd", 20 * 32, dot_avx512}, kDot2{"vpmaddwd", 10 * 16, dot_avx2},
    kDot{"imul", 8, dot_plain};
constexpr Loop kProduct512{"vpmadd52", 20 * 8, product_avx512}, kProduct2{"vfmadd", 12 * 4, product_avx2},
    kProduct{"mul", 4, product_plain};
constexpr Loop kReal{"mulpd, addpd", 12 * 2, real_plain};
constexpr Loop kMix512{"vpaddd", 12 * 16, mix_avx512}, kMix2{"vpaddd", 12 * 8, mix_avx2},
    kMixWords{"add", 8, mix_words}, kMix{"paddd", 12 * 4, mix_plain};

// Adds to 64 bytes at a time, in place.
[[gnu::target("avx512f")]] void update_avx512(std::uint8_t* p, std::size_t bytes) {
  for (const auto* end = p + bytes; p < end; p += 256)
    asm volatile(
        "vmovdqa64 (%0), %%zmm0\n\tvmovdqa64 64(%0), %%zmm1\n\t"
        "vmovdqa64 128(%0), %%zmm2\n\tvmovdqa64 192(%0), %%zmm3\n\t"
        "vmovdqa64 %%zmm0, (%0)\n\tvmovdqa64 %%zmm1, 64(%0)\n\t"
        "vmovdqa64 %%zmm2, 128(%0)\n\tvmovdqa64 %%zmm3, 192(%0)" ::"r"(p)
        : "xmm0", "xmm1", "xmm2", "xmm3", "memory");
}

#else

void plain(std::size_t rounds) {
  std::uint64_t a = 3, b = 5, c = 7, d = 11;
  for (; rounds > 0; --rounds) {
    a *= a, b *= b, c *= c, d *= d;
    asm volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
  }
}
constexpr Loop kDot512{"multiplication", 4, plain},
    kDot2 = kDot512, kDot = kDot512, kProduct512 = kDot512, kProduct2 = kDot512, kProduct = kDot512,
    kReal = kDot512, kMix512 = kDot512, kMix2 = kDot512, kMixWords = kDot512, kMix = kDot512;

#endif

const Loop& loop_of(Resource r, std::string_view variant) {
  const bool wide = variant == "avx512", vector = wide || variant == "avx2";
  if (r == Resource::dot) return wide ? kDot512 : vector ? kDot2 : kDot;
  if (r == Resource::product) return wide ? kProduct512 : vector ? kProduct2 : kProduct;
  if (r == Resource::mix) return wide ? kMix512 : vector ? kMix2 : kMixWords;
  // The encoder and the library's cipher do not follow the variant of the kernels.
  if (r == Resource::real) return kReal;
  static const bool avx2 = detect_cpu().avx2;
  return avx2 ? kMix2 : kMix;
}

// Reads and writes every byte, by the widest instructions of this processor.
void update(std::uint8_t* p, std::size_t bytes) {
#if defined(__x86_64__)
  static const bool avx512 = detect_cpu().avx512;
  if (avx512) return update_avx512(p, bytes);
#endif
  for (std::size_t i = 0; i < bytes; i += 32) {
    std::uint64_t w[4];
    std::memcpy(w, p + i, sizeof w);
    asm volatile("" ::"r"(w), "r"(p) : "memory");
    std::memcpy(p + i, w, sizeof w);
  }
}

double loop_rate(const Loop& loop) {
  constexpr std::size_t kRounds = 10000;
  loop.run(kRounds / 20);
  const double start = thread_seconds();
  loop.run(kRounds);
  return loop.work * kRounds / (thread_seconds() - start);
}

}  // namespace

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

std::string resource_name(Resource r, std::string_view variant) {
  if (r == Resource::near_bytes) return "L2 bytes";
  if (r == Resource::far_bytes) return "memory bytes";
  return loop_of(r, variant).name;
}

double Limits::near_rate(std::size_t bytes) {
  if (near_.size() != bytes) near_ = AlignedBuffer<std::uint8_t>::zeroed(bytes);
  constexpr int kTimes = 40;
  update(near_.data(), bytes);
  const double start = thread_seconds();
  for (int i = 0; i < kTimes; ++i) update(near_.data(), bytes);
  return 2.0 * kTimes * static_cast<double>(bytes) / (thread_seconds() - start);
}

// A copy of one half to the other.
double Limits::far_rate(std::size_t bytes) {
  const std::size_t half = bytes / 2;
  if (far_.size() != bytes) {
    far_ = AlignedBuffer<std::uint8_t>::zeroed(bytes);
    std::memcpy(far_.data() + half, far_.data(), half);
  }
  const double start = thread_seconds();
  std::memcpy(far_.data() + half, far_.data(), half);
  asm volatile("" ::"r"(far_.data()) : "memory");
  return 2 * static_cast<double>(half) / (thread_seconds() - start);
}

double Limits::measure(Resource r, std::string_view variant) {
  if (r == Resource::near_bytes) {
    const std::size_t l2 = cache_bytes(2);
    return near_rate((l2 ? l2 : std::size_t{512} << 10) / 8 / 4096 * 4096);
  }
  if (r == Resource::far_bytes) {
    // Larger than the caches, as far as the memory allows.
    const std::size_t wanted = std::max<std::size_t>(2 * cache_bytes(3), std::size_t{256} << 20);
    const auto allowed = std::min<std::uint64_t>(wanted, available_memory_bytes().value_or(8 * wanted) / 8);
    const std::size_t bytes =
        far_.empty() ? allowed / static_cast<std::size_t>(sharers_) / 4096 * 4096 : far_.size();
    return far_rate(bytes);
  }
  return loop_rate(loop_of(r, variant));
}

}  // namespace velum::bench
