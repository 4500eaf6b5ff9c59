// Public seeds to uniform residues: ChaCha20, and the candidates of its key stream.
#include <bit>
#include <cstring>

#include "kernels/ref/ref.h"

namespace velum::kernels::ref {

namespace {

using u32 = std::uint32_t;

void quarter_round(u32& a, u32& b, u32& c, u32& d) {
  a += b, d = std::rotl(d ^ a, 16);
  c += d, b = std::rotl(b ^ c, 12);
  a += b, d = std::rotl(d ^ a, 8);
  c += d, b = std::rotl(b ^ c, 7);
}

}  // namespace

void key_stream(std::uint8_t* out, std::size_t blocks, const std::uint8_t* key, u64 nonce, u64 first) {
  u32 state[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};  // "expand 32-byte k"
  std::memcpy(state + 4, key, 32);
  state[14] = static_cast<u32>(nonce);
  state[15] = static_cast<u32>(nonce >> 32);
  for (std::size_t i = 0; i < blocks; ++i, ++first, out += 64) {
    state[12] = static_cast<u32>(first);
    state[13] = static_cast<u32>(first >> 32);
    u32 x[16];
    std::memcpy(x, state, sizeof x);
    for (int round = 0; round < 20; round += 2) {
      quarter_round(x[0], x[4], x[8], x[12]);
      quarter_round(x[1], x[5], x[9], x[13]);
      quarter_round(x[2], x[6], x[10], x[14]);
      quarter_round(x[3], x[7], x[11], x[15]);
      quarter_round(x[0], x[5], x[10], x[15]);
      quarter_round(x[1], x[6], x[11], x[12]);
      quarter_round(x[2], x[7], x[8], x[13]);
      quarter_round(x[3], x[4], x[9], x[14]);
    }
    for (int k = 0; k < 16; ++k) x[k] += state[k];
    std::memcpy(out, x, sizeof x);
  }
}

std::size_t take_below(u64* out, std::size_t room, const std::uint8_t* in, std::size_t candidates,
                       const Modulus& m) {
  const std::size_t bytes = candidate_bytes(m.q);
  const u64 mask = (u64{1} << bit_width(m.q)) - 1;
  std::size_t taken = 0;
  // Written before it is known whether it counts: no branch that would be taken at random.
  for (std::size_t k = 0; k < candidates && taken < room; ++k, in += bytes) {
    u64 x;
    std::memcpy(&x, in, sizeof x);
    x &= mask;
    out[taken] = x;
    taken += x < m.q;
  }
  return taken;
}

}  // namespace velum::kernels::ref
