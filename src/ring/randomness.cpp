#include "ring/randomness.h"

#include <sodium.h>

#include "base/error.h"

namespace velum::ring {

namespace {

struct SecretSeed {
  Seed bytes{};
  SecretSeed() = default;
  SecretSeed(const SecretSeed&) = delete;
  SecretSeed& operator=(const SecretSeed&) = delete;
  ~SecretSeed() { sodium_memzero(bytes.data(), bytes.size()); }
};

}  // namespace

Randomness Randomness::system() {
  return Randomness([](std::span<std::uint8_t> out, const Draw&) { system_random(out); });
}

Seed Randomness::seed(const Draw& draw) const {
  if (!travels(draw.purpose)) fail("randomness: a secret was asked for as a seed that travels");
  Seed seed;
  source_(seed, draw);
  return seed;
}

RandomStream Randomness::stream(const Draw& draw) const {
  if (travels(draw.purpose)) fail("randomness: a seed that travels was asked for as a secret");
  SecretSeed seed;
  source_(seed.bytes, draw);
  return RandomStream(seed.bytes, secret_nonce(draw.purpose));
}

}  // namespace velum::ring
