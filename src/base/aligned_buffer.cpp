#include "base/aligned_buffer.h"

#include <sodium.h>
#include <sys/mman.h>

#include <cstdlib>

#include "base/error.h"

namespace velum::detail {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kHugeThreshold = std::size_t{4} << 20;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  const bool huge = bytes >= kHugeThreshold;
  const std::size_t alignment = huge ? kHugePage : 64;
  void* p = std::aligned_alloc(alignment, round_up(bytes, alignment));
  if (!p) fail("out of memory: {} bytes could not be allocated; use a smaller batch or a machine with more memory", bytes);
  // Strided access over thousands of limbs misses the TLB on 4 KiB pages; a refusal costs speed only.
  if (huge) (void)madvise(p, round_up(bytes, kHugePage), MADV_HUGEPAGE);
  return p;
}

void free_aligned(void* p, std::size_t) noexcept { std::free(p); }

void* allocate_secret(std::size_t bytes) {
  void* p = allocate_aligned(bytes);
  (void)sodium_mlock(p, bytes);  // best effort: RLIMIT_MEMLOCK is often small
  sodium_memzero(p, bytes);
  return p;
}

void free_secret(void* p, std::size_t bytes) noexcept {
  (void)sodium_munlock(p, bytes);  // wipes too, but not where it was refused
  sodium_memzero(p, bytes);
  free_aligned(p, bytes);
}

}  // namespace velum::detail
