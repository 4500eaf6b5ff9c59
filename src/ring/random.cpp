#include "ring/random.h"

#include <sodium.h>

#include <cstring>

#include "base/error.h"

namespace velum::ring {

namespace {

constexpr std::size_t kBlock = 64, kCipherStack = 4096;

}  // namespace

void system_random(std::span<std::uint8_t> out) {
  if (sodium_init() < 0)
    fail("the cryptographic library did not start: no source of randomness on this system");
  randombytes_buf(out.data(), out.size());
}

RandomStream::RandomStream(const Seed& seed, std::uint64_t stream) : seed_(seed), stream_(stream) {
  // Chooses the fastest implementation of the cipher for this processor, once for the process.
  if (sodium_init() < 0)
    fail("the cryptographic library did not start: no source of randomness on this system");
}

RandomStream::~RandomStream() {
  sodium_memzero(seed_.data(), seed_.size());
}

void RandomStream::fill(std::span<std::uint8_t> out) {
  if (out.empty()) return;
  std::array<std::uint8_t, crypto_stream_chacha20_NONCEBYTES> nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(stream_ >> (8 * i));
  std::memset(out.data(), 0, out.size());
  crypto_stream_chacha20_xor_ic(out.data(), out.data(), out.size(), nonce.data(), block_, seed_.data());
  // The cipher keeps its key in registers, and leaves what did not fit them on the stack.
  sodium_stackzero(kCipherStack);
  block_ += (out.size() + kBlock - 1) / kBlock;
}

}  // namespace velum::ring
