// Where randomness comes from: a value that is passed to whoever draws. There is no other way to it, so that
// a test can hand out its own, and see what was drawn and for what.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>

#include "ring/random.h"

namespace velum::ring {

// What a draw is for. `uniform`: the seed travels in the clear, and everybody expands it. All others stay
// with who drew them, and every polynomial has a draw of its own.
enum class Purpose : std::uint8_t {
  secret_key = 1,
  switch_key_uniform = 2,
  switch_key_error = 3,
  public_key_uniform = 4,
  public_key_error = 5,
  ciphertext_uniform = 6,
  ciphertext_error = 7,
  mask = 8,  // u of a public-key encryption, and the errors of its two polynomials
  mask_error = 9,
};
constexpr bool travels(Purpose p) {
  return p == Purpose::switch_key_uniform || p == Purpose::public_key_uniform ||
         p == Purpose::ciphertext_uniform;
}

struct Draw {
  Purpose purpose;
  std::uint64_t index = 0;  // among those of this purpose in one operation: which key, which digit
  auto operator<=>(const Draw&) const = default;  // NOLINT(modernize-use-nullptr): none is there
};

class Randomness {
 public:
  // Fills `out` with fresh bytes, for this draw alone. Called from several threads at once.
  using Source = std::function<void(std::span<std::uint8_t> out, const Draw& draw)>;

  explicit Randomness(Source source) : source_(std::move(source)) {}
  // The operating system's.
  static Randomness system();

  // A fresh seed that will be public; not for the other purposes.
  Seed seed(const Draw& draw) const;
  // The expansion of a fresh seed that nobody sees; not for seeds that travel. Its nonce is
  // secret_nonce(purpose), which no public expansion has.
  RandomStream stream(const Draw& draw) const;

 private:
  Source source_;
};

constexpr std::uint64_t secret_nonce(Purpose purpose) {
  return std::uint64_t{1} << 63 | static_cast<std::uint64_t>(purpose);
}

}  // namespace velum::ring
