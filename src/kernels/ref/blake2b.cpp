// BLAKE2b (RFC 7693) of several messages at once, one after the other.
#include <bit>
#include <cstring>

#include "kernels/ref/ref.h"

namespace velum::kernels::ref {

namespace {

void mix(u64& a, u64& b, u64& c, u64& d, u64 x, u64 y) {
  a += b + x, d = std::rotr(d ^ a, 32);
  c += d, b = std::rotr(b ^ c, 24);
  a += b + y, d = std::rotr(d ^ a, 16);
  c += d, b = std::rotr(b ^ c, 63);
}

}  // namespace

void hash_blocks(u64* state, const std::uint8_t* const* in, std::size_t blocks, u64 counted, bool last) {
  for (std::size_t lane = 0; lane < kHashLanes; ++lane) {
    u64 h[8];
    for (std::size_t k = 0; k < 8; ++k) h[k] = state[k * kHashLanes + lane];
    for (std::size_t i = 0; i < blocks; ++i) {
      u64 m[16], v[16];
      std::memcpy(m, in[lane] + i * kHashBlock, sizeof m);
      for (std::size_t k = 0; k < 8; ++k) {
        v[k] = h[k];
        v[8 + k] = kHashStart[k];
      }
      v[12] ^= counted + i * kHashBlock;
      if (last) v[14] = ~v[14];
      for (int round = 0; round < 12; ++round) {
        const auto* s = kHashOrder[round % 10];
        mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
        mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
        mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
        mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
        mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
        mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
        mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
        mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
      }
      for (std::size_t k = 0; k < 8; ++k) h[k] ^= v[k] ^ v[8 + k];
    }
    for (std::size_t k = 0; k < 8; ++k) state[k * kHashLanes + lane] = h[k];
  }
}

}  // namespace velum::kernels::ref
