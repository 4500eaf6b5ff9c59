#include "ring/samplers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/aligned_buffer.h"

namespace velum::ring {

namespace {

using kernels::u64;

// Whole cipher blocks, and whole candidates of 3, 4, 5 and 6 bytes.
constexpr std::size_t kChunk = 7680;

u64 load64(const std::uint8_t* p) {
  u64 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Candidates of `Bytes` bytes: written one after the other, kept (by moving on) where below q. The reads run
// past the last candidate by up to 5 bytes, the writes by one residue: `chunk` and `room` allow for both.
template <std::size_t Bytes>
std::size_t take_below(u64* room, const std::uint8_t* chunk, std::size_t candidates, u64 mask, u64 q) {
  std::size_t taken = 0;
  for (std::size_t k = 0; k < candidates; ++k) {
    const u64 x = load64(chunk + k * Bytes) & mask;
    room[taken] = x;
    taken += x < q;
  }
  return taken;
}

using Take = std::size_t (*)(u64*, const std::uint8_t*, std::size_t, u64, u64);

Take take_for(std::size_t bytes) {
  switch (bytes) {
    case 3:
      return take_below<3>;
    case 4:
      return take_below<4>;
    case 5:
      return take_below<5>;
    default:
      return take_below<6>;
  }
}

}  // namespace

void expand_uniform(u64* out, std::size_t n, const kernels::Modulus& m, const Seed& seed,
                    std::uint64_t stream) {
  const auto bits = static_cast<int>(std::bit_width(m.q));
  const std::size_t bytes = (static_cast<std::size_t>(bits) + 7) / 8;
  const u64 mask = (u64{1} << bits) - 1;
  const Take take = take_for(bytes);
  RandomStream random(seed, stream);
  alignas(64) std::array<std::uint8_t, kChunk + 8> chunk{};
  std::array<u64, kChunk / 3 + 1> room;
  for (std::size_t done = 0; done < n;) {
    // Near the end a shorter run of the cipher will mostly do: whole blocks of it, and of candidates (lcm 64
    // w).
    const std::size_t step = 64 * bytes / std::size_t{std::gcd(64u, static_cast<unsigned>(bytes))};
    const std::size_t wanted = (n - done) * bytes * 5 / 4;
    const std::size_t length = std::min(kChunk, (wanted + step - 1) / step * step);
    random.fill(std::span(chunk).first(length));
    const std::size_t candidates = length / bytes;
    if (n - done > candidates) {
      done += take(out + done, chunk.data(), candidates, mask, m.q);
    } else {
      const std::size_t taken = take(room.data(), chunk.data(), candidates, mask, m.q);
      const std::size_t used = std::min(taken, n - done);
      std::copy_n(room.data(), used, out + done);
      done += used;
    }
  }
}

void sample_ternary(std::span<std::int8_t> out, RandomStream& random) {
  SecretBuffer<u64> words(out.size());
  random.fill({reinterpret_cast<std::uint8_t*>(words.data()), 8 * words.size()});
  // floor(3 u / 2^64) for uniform 64-bit u, without division or rejection.
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::int8_t>(static_cast<int>((static_cast<kernels::u128>(words[i]) * 3) >> 64) - 1);
}

void sample_error(std::span<std::int32_t> out, RandomStream& random) {
  SecretBuffer<u64> words(out.size());
  random.fill({reinterpret_cast<std::uint8_t*>(words.data()), 8 * words.size()});
  // Both sums at once, in the halves of a word. Counted by additions within the word: a population count of
  // the compiler may be a table look-up, whose index would be secret.
  constexpr u64 kept = 0x001fffff001fffffULL;  // 21 bits a half
  const u64* w = words.data();
  std::int32_t* o = out.data();
  for (std::size_t i = 0; i < out.size(); ++i) {
    u64 x = w[i] & kept;
    x -= (x >> 1) & 0x5555555555555555ULL;
    x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    x = x + (x >> 8) + (x >> 16);
    o[i] = static_cast<std::int32_t>(x & 0xff) - static_cast<std::int32_t>((x >> 32) & 0xff);
  }
}

}  // namespace velum::ring
