#include "base/aligned_buffer.h"

#include <sodium.h>
#include <sys/mman.h>

#include <cstdlib>

#include "base/error.h"
#include "base/huge_pages.h"

namespace velum::detail {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLarge = std::size_t{1} << 20;

std::size_t round_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

// Large blocks come straight from the system and go straight back, so that resident memory follows the plan
// and not the heap's habits. mmap aligns to 4 KiB: ask for one huge page more and give both ends back.
void* map_large(std::size_t bytes) {
  const std::size_t size = round_up(bytes, kPage), asked = size + kHugePage;
  void* raw = mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(raw);
  const auto address = reinterpret_cast<std::uintptr_t>(raw);
  auto* aligned = begin + (round_up(address, kHugePage) - address);
  if (aligned != begin) (void)munmap(begin, static_cast<std::size_t>(aligned - begin));
  if (aligned + size != begin + asked)
    (void)munmap(aligned + size, static_cast<std::size_t>(begin + asked - (aligned + size)));
  // A refusal costs speed only.
  (void)madvise(aligned, size, huge_pages_pay() ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return aligned;
}

}  // namespace

std::size_t checked_bytes(std::size_t n, std::size_t size) {
  if (n > (std::size_t{1} << 62) / size)
    fail("out of memory: {} items of {} bytes are beyond any machine", n, size);
  return n * size;
}

void* allocate_aligned(std::size_t bytes) {
  void* p = bytes >= kLarge ? map_large(bytes) : std::aligned_alloc(64, round_up(bytes, 64));
  if (!p)
    fail("out of memory: {} bytes could not be allocated; use a smaller batch or a machine with more memory",
         bytes);
  return p;
}

void free_aligned(void* p, std::size_t bytes) noexcept {
  if (bytes >= kLarge)
    (void)munmap(p, round_up(bytes, kPage));
  else
    std::free(p);
}

void* allocate_secret(std::size_t bytes) {
  // Whole pages: locking goes by the page, so a neighbour that is freed must not unlock this one.
  const std::size_t whole = round_up(bytes, kPage);
  void* p = std::aligned_alloc(kPage, whole);
  if (!p) fail("out of memory: {} bytes for a secret could not be allocated", bytes);
  (void)sodium_mlock(p, whole);  // best effort: RLIMIT_MEMLOCK is often small
  sodium_memzero(p, whole);
  return p;
}

void free_secret(void* p, std::size_t bytes) noexcept {
  sodium_memzero(p, bytes);
  (void)sodium_munlock(p, round_up(bytes, kPage));
  std::free(p);
}

}  // namespace velum::detail
