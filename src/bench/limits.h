// The most that this machine can do of what kernels are made of: instructions on registers alone, and bytes
// moved.
//
// Every rate is measured where it is asked for, in a loop of a few hundred microseconds, so that it can be
// taken in turn with the kernel that it limits: clocks and neighbours vary.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/aligned_buffer.h"

namespace velum::bench {

// What a kernel may run out of.
enum class Resource {
  dot,         // 16-bit multiply-adds, by the widest instruction of a variant
  product,     // the multiplications that modular products are made of: 52 bits, double or 64 bits
  real,        // operations on doubles, baseline instructions (the encoder is compiled for any processor)
  mix,         // additions, xors and rotations of 32 bits: the kernels' ChaCha20
  cipher,      // the same in the library's, which does not follow the variant
  near_bytes,  // bytes read and written in the second-level cache
  far_bytes,   // bytes read and written in memory
};
inline constexpr std::size_t kResources = 7;

// The name of the instruction that this variant does it with; for bytes, of where they lie.
std::string resource_name(Resource r, std::string_view variant);

// Memory to copy for the rates of bytes; taken when first needed.
class Limits {
 public:
  // Units of `r` a second: multiply-adds, multiplications, operations or bytes. One thread.
  double measure(Resource r, std::string_view variant);

  // For as many threads that measure at once: each takes its part of the memory for far bytes.
  void share_far_memory(int threads) { sharers_ = threads; }

 private:
  double near_rate(std::size_t bytes);
  double far_rate(std::size_t bytes);
  AlignedBuffer<std::uint8_t> near_, far_;
  int sharers_ = 1;
};

// Processor time of this thread: other programs' turns do not count.
double thread_seconds();

}  // namespace velum::bench
