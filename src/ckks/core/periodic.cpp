#include "ckks/core/periodic.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"

namespace velum::ckks {

namespace {

// As the encoder's: the real part of the inverse transform (encoder.cpp), of the ring of dimension P.
template <typename Integer>
void encode_with(const ComplexTransform& transform, std::span<Integer> coefficients,
                 std::span<const double> blocks, double factor, std::span<double> scratch) {
  const std::size_t p = transform.size();
  if (blocks.size() != p || coefficients.size() != p || scratch.size() < 2 * p)
    fail_user("periodic plaintext: {} values into {} coefficients, the period is {}", blocks.size(),
              coefficients.size(), p);
  const double limit = sizeof(Integer) == 4 ? 0x1p31 - 1 : 0x1p61;
  bool allowed = true;
  for (const double v : blocks) allowed &= std::abs(v) * factor < limit;  // false for NaN too
  if (!allowed) {
    std::size_t j = 0;
    while (std::abs(blocks[j]) * factor < limit) ++j;
    fail_user("periodic plaintext: value {} of block {} times {} is not below 2^{:.0f}; take a smaller scale",
              blocks[j], j, factor, std::log2(limit));
  }
  double* re = scratch.data();
  double* im = re + p;
  std::fill_n(im, p, 0.0);
  const auto& leaf = transform.leaf_of_slot();
  for (std::size_t j = 0; j < p; ++j) re[leaf[j]] = blocks[j];
  transform.inverse_unscaled(re, im);
  const double scale = factor / static_cast<double>(p);
  for (std::size_t i = 0; i < p; ++i) coefficients[i] = static_cast<Integer>(std::llrint(re[i] * scale));
}

// The shortest arrays that kernels transform and convert.
constexpr std::size_t kTransformed = 8, kConverted = 16;

// The transform of fewer points.
void fold_and_split(u64* x, std::size_t p, const kernels::NttTables& t) {
  const u64 q = t.modulus.q;
  const auto times = [q](u64 a, u64 b) { return static_cast<u64>(static_cast<kernels::u128>(a) * b % q); };
  // b_i = a_i - psi a_(p-i), for i and p - i together.
  for (std::size_t i = 1; 2 * i <= p; ++i) {
    const u64 low = x[i], high = x[p - i];
    x[i] = (low + q - times(t.psi.value, high)) % q;
    x[p - i] = (high + q - times(t.psi.value, low)) % q;
  }
  for (std::size_t size = p, first = 1; size > 1; size /= 2, first *= 2)
    for (std::size_t node = 0; node < first; ++node)
      for (std::size_t j = node * size; j < node * size + size / 2; ++j) {
        const u64 u = x[j], v = times(x[j + size / 2], t.roots[first + node]);
        x[j] = (u + v) % q;
        x[j + size / 2] = (u + q - v) % q;
      }
}

template <typename Integer>
void residues_with(u64* out, std::span<const Integer> coefficients, const ring::Ring& ring,
                   std::size_t modulus) {
  const std::size_t p = coefficients.size();
  const auto& m = ring.modulus(modulus);
  if (p < kConverted) {
    const auto q = static_cast<std::int64_t>(m.q);
    for (std::size_t i = 0; i < p; ++i) {
      const std::int64_t r = coefficients[i] % q;
      out[i] = static_cast<u64>(r < 0 ? r + q : r);
    }
  } else if constexpr (sizeof(Integer) == 4) {
    kernels::table().from_int32(out, coefficients.data(), p, m);
  } else {
    kernels::table().from_int64(out, coefficients.data(), p, m);
  }
  transform_periodic(out, p, ring, modulus);
}

}  // namespace

PeriodicEncoder::PeriodicEncoder(std::size_t period) : transform_(period) {}

void PeriodicEncoder::encode(std::span<std::int32_t> coefficients, std::span<const double> blocks,
                             double factor, std::span<double> scratch) const {
  encode_with(transform_, coefficients, blocks, factor, scratch);
}

void PeriodicEncoder::encode(std::span<std::int64_t> coefficients, std::span<const double> blocks,
                             double factor, std::span<double> scratch) const {
  encode_with(transform_, coefficients, blocks, factor, scratch);
}

void transform_periodic(u64* x, std::size_t p, const ring::Ring& ring, std::size_t modulus) {
  if (ring.type() != ring::RingType::real || !std::has_single_bit(p) || p > ring.n() / 8)
    fail_user(
        "periodic plaintext: period {} in the {} ring of dimension {}; a power of two up to {} in the real "
        "ring is possible",
        p, name(ring.type()), ring.n(), ring.n() / 8);
  kernels::NttTables tables = ring.ntt(modulus);
  if (p < kTransformed) {
    fold_and_split(x, p, tables);
    return;
  }
  tables.n = p;  // the first levels of the tree: its nodes have the same indices for every dimension
  kernels::table().ntt_forward(x, tables);
}

void periodic_residues(u64* out, std::span<const std::int32_t> coefficients, const ring::Ring& ring,
                       std::size_t modulus) {
  residues_with(out, coefficients, ring, modulus);
}

void periodic_residues(u64* out, std::span<const std::int64_t> coefficients, const ring::Ring& ring,
                       std::size_t modulus) {
  residues_with(out, coefficients, ring, modulus);
}

}  // namespace velum::ckks
