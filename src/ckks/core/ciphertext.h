// Ciphertexts: two or three polynomials over the first `limbs` moduli, always in NTT form.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/aligned_buffer.h"
#include "ckks/core/parameters.h"
#include "ring/random.h"

namespace velum::ckks {

// Where the limbs of a ciphertext lie: limb l of polynomial p starts at data + p * poly_stride + l * n.
template <typename Word>
struct BasicView {
  Word* data = nullptr;
  std::size_t polys = 0;
  std::size_t limbs = 0;
  std::size_t n = 0;
  std::size_t poly_stride = 0;  // in words, limbs * n where compact
  Word* limb(std::size_t p, std::size_t l) const { return data + p * poly_stride + l * n; }
  operator BasicView<const Word>() const { return {data, polys, limbs, n, poly_stride}; }
};
using View = BasicView<u64>;
using ConstView = BasicView<const u64>;

// Decryption is c0 + c1 s (+ c2 s^2); slots are that divided by `scale`.
class Ciphertext {
 public:
  Ciphertext() = default;
  Ciphertext(const Parameters& params, std::size_t polys, std::size_t limbs,
             double scale);  // uninitialised limbs
  std::size_t polys() const { return polys_; }
  std::size_t limbs() const { return limbs_; }
  std::size_t n() const { return n_; }
  double scale() const { return scale_; }
  void set_scale(double s) { scale_ = s; }
  // Of a ciphertext that stays: a view of a temporary one would outlive it.
  View view() & { return {data_.data(), polys_, limbs_, n_, limbs_ * n_}; }
  ConstView view() const& { return {data_.data(), polys_, limbs_, n_, limbs_ * n_}; }
  ConstView view() const&& = delete;
  Ciphertext clone() const;

 private:
  std::size_t polys_ = 0, limbs_ = 0, n_ = 0;
  double scale_ = 1;
  AlignedBuffer<u64> data_;
};

using Seed = ring::Seed;  // 32 bytes; public: expands to the uniform polynomial c1

// A fresh secret-key ciphertext as it travels: c0 and the seed of c1.
struct SeededCiphertext {
  std::size_t limbs = 0;
  double scale = 1;
  Seed seed{};
  AlignedBuffer<u64> c0;  // [limbs][n], NTT form
};

// c1 of a seeded ciphertext, limb `l`: uniform modulo q_l, in NTT form. Deterministic and the same on every
// machine: the expansion is part of the format (docs/formats.md).
void expand_limb(u64* out, const Seed& seed, std::size_t limb, std::size_t n, const kernels::Modulus& m);
// Both polynomials into a view of two.
void expand(View out, const SeededCiphertext& in, const Parameters& params);

// Wire format of polynomials: a limb takes bit_width(q) bits a residue.
constexpr std::size_t packed_limb_bytes(std::size_t n, u64 q) {
  return n / 8 * static_cast<std::size_t>(kernels::bit_width(q));
}
std::size_t packed_limb_bytes(const Parameters& params, std::size_t limb);
void pack_limb(std::uint8_t* out, const u64* x, const Parameters& params, std::size_t limb);
// Bytes from outside: refuses a wrong length and a residue that is not below its modulus; `what` names the
// file.
void unpack_limb(u64* out, std::span<const std::uint8_t> in, const Parameters& params, std::size_t limb,
                 const std::string& what);

}  // namespace velum::ckks
