// Randomness: seeds from the operating system, everything else expanded from a seed by ChaCha20.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace velum::ring {

using Seed = std::array<std::uint8_t, 32>;

// From the operating system; never fails (it ends the process where the system has no randomness to give).
// For secrets and their errors see randomness.h.
void system_random(std::span<std::uint8_t> out);

// The key stream of ChaCha20 (64-bit counter from zero, 64-bit nonce) under key `seed` and nonce `stream`,
// the latter little-endian. Distinct streams of one seed are independent. Wiped at its end.
class RandomStream {
 public:
  RandomStream(const Seed& seed, std::uint64_t stream);
  RandomStream(const RandomStream&) = delete;
  RandomStream& operator=(const RandomStream&) = delete;
  ~RandomStream();
  // The next bytes of the key stream. A call that ends within a 64-byte block of the cipher drops the rest of
  // it.
  void fill(std::span<std::uint8_t> out);

 private:
  Seed seed_;
  std::uint64_t stream_;
  std::uint64_t block_ = 0;
};

}  // namespace velum::ring
