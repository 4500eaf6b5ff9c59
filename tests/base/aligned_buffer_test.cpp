#include "base/aligned_buffer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/temp_folder.h"

namespace velum {
namespace {

using testing::expect_error;

TEST(AlignedBuffer, IsAlignedAndMovable) {
  for (const std::size_t n : {1u, 63u, 4096u, 1u << 20}) {
    auto buffer = AlignedBuffer<std::uint64_t>::zeroed(n);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_TRUE(std::all_of(buffer.begin(), buffer.end(), [](auto v) { return v == 0; }));
    buffer[n - 1] = 7;
    const auto copy = buffer.clone();
    const auto* where = buffer.data();
    const auto moved = std::move(buffer);
    EXPECT_EQ(moved.data(), where);
    EXPECT_EQ(copy[n - 1], 7u);
    EXPECT_NE(copy.data(), where);
  }
  EXPECT_TRUE(AlignedBuffer<int>(0).empty());
  EXPECT_EQ(AlignedBuffer<int>().clone().size(), 0u);
}

TEST(AlignedBuffer, ImpossibleSizesAreFailures) {
  expect_error(ErrorKind::failure, {"out of memory"},
               [] { AlignedBuffer<std::uint64_t> buffer(std::numeric_limits<std::size_t>::max() / 4); });
  expect_error(ErrorKind::failure, {"out of memory"},
               [] { SecretBuffer<std::uint64_t> buffer(std::numeric_limits<std::size_t>::max()); });
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  expect_error(ErrorKind::failure, {"out of memory", "bytes could not be allocated"},
               [] { AlignedBuffer<std::uint64_t> buffer(std::size_t{1} << 50); });
#endif
}

TEST(SecretBuffer, IsZeroAtBirth) {
  SecretBuffer<std::int8_t> buffer(1000);
  EXPECT_TRUE(std::all_of(buffer.span().begin(), buffer.span().end(), [](auto v) { return v == 0; }));
}

// What is left at an address, read past the allocator's and the sanitizers' back. Empty where the page is
// gone.
std::vector<std::uint8_t> memory_at(const void* address, std::size_t bytes) {
  std::vector<std::uint8_t> out(bytes);
  const int fd = ::open("/proc/self/mem", O_RDONLY);
  const auto got =
      ::pread(fd, out.data(), bytes, static_cast<off_t>(reinterpret_cast<std::uintptr_t>(address)));
  ::close(fd);
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

TEST(SecretBuffer, IsWipedAtDeath) {
  for (const std::size_t size : {256u, 4096u, 100000u, 3000000u}) {
    const void* where = nullptr;
    {
      SecretBuffer<std::uint8_t> secret(size);
      std::fill_n(secret.data(), size, std::uint8_t{0xa5});
      where = secret.data();
      const auto alive = memory_at(where, size);
      if (alive.empty()) GTEST_SKIP() << "/proc/self/mem cannot be read here";
      ASSERT_EQ(std::count(alive.begin(), alive.end(), 0xa5), static_cast<std::ptrdiff_t>(size));
    }
    const auto left = memory_at(where, size);
    // The allocator may write its own few words there; the secret's bytes are gone.
    EXPECT_LT(std::count(left.begin(), left.end(), 0xa5), 16);
  }
}

TEST(SecretBuffer, AnAssignedOneWipesTheOld) {
  SecretBuffer<std::uint8_t> secret(4096);
  std::fill_n(secret.data(), 4096, std::uint8_t{0xa5});
  const void* where = secret.data();
  secret = SecretBuffer<std::uint8_t>(8192);
  const auto left = memory_at(where, 4096);
  EXPECT_LT(std::count(left.begin(), left.end(), 0xa5), 16);
}

}  // namespace
}  // namespace velum
