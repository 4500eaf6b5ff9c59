#include "ring/samplers.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/aligned_buffer.h"
#include "kernels/table.h"

namespace velum::ring {

namespace {

using kernels::u64;

// The cipher's widest variant makes so many bytes at once; so many candidates of any width end with them.
constexpr std::size_t kPiece = 1024, kBlock = 64, kMostBytes = 6;

}  // namespace

void expand_uniform(u64* out, std::size_t n, const kernels::Modulus& m, const Seed& seed,
                    std::uint64_t stream) {
  const auto& table = kernels::table();
  const std::size_t bytes = kernels::candidate_bytes(m.q);
  const double tries = std::exp2(kernels::bit_width(m.q)) / static_cast<double>(m.q);  // for one residue
  alignas(64) std::array<std::uint8_t, kMostBytes * kPiece + kernels::kCandidateSlack> chunk;
  std::uint64_t block = 0;
  for (std::size_t done = 0; done < n;) {
    // A chunk is filled in one piece, but for the last one: so much as will mostly do, and then again.
    for (std::size_t filled = 0, used = 0; filled < bytes * kPiece && done < n;) {
      const double wanted = static_cast<double>(n - done) * tries * static_cast<double>(bytes);
      const std::size_t pieces = static_cast<std::size_t>(wanted) / kPiece + 1;
      const std::size_t length = std::min(bytes * kPiece - filled, pieces * kPiece);
      table.key_stream(chunk.data() + filled, length / kBlock, seed.data(), stream, block);
      filled += length;
      block += length / kBlock;
      const std::size_t candidates = (filled - used) / (8 * bytes) * 8;
      done += table.take_below(out + done, n - done, chunk.data() + used, candidates, m);
      used += candidates * bytes;
    }
  }
}

void sample_ternary(std::span<std::int8_t> out, RandomStream& random) {
  SecretBuffer<u64> words(out.size());
  random.fill({reinterpret_cast<std::uint8_t*>(words.data()), 8 * words.size()});
  // floor(3 u / 2^64) for uniform 64-bit u, without division or rejection.
  for (std::size_t i = 0; i < words.size(); ++i)
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
