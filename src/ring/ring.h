// The two polynomial rings and what belongs to one modulus of one of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/table.h"

namespace velum::ring {

using kernels::u64;

enum class RingType : std::uint8_t {
  real = 0,      // Z[X]/(X^2N + 1) fixed by X -> 1/X: N coefficients over {1, X^i + X^-i}, N real slots
  standard = 1,  // Z[X]/(X^N + 1): N coefficients, N/2 complex slots (Velum uses their real parts)
};

std::string_view name(RingType type);

constexpr std::size_t slot_count(RingType type, std::size_t n) {
  return type == RingType::real ? n : n / 2;
}
// The order of the roots of unity at which a polynomial is evaluated: q = 1 modulo this.
constexpr u64 root_order(RingType type, std::size_t n) {
  return (type == RingType::real ? 4 : 2) * static_cast<u64>(n);
}

// Words of the tables of one prime: the roots and their inverses, each with two quotients.
constexpr std::size_t table_words(std::size_t n) {
  return 6 * n;
}

// The tables of the transform for one prime, owning the memory that kernels::NttTables views.
class Ntt {
 public:
  Ntt(RingType type, std::size_t n, u64 q);  // q prime, q = 1 mod root_order; throws Error(user) otherwise
  const kernels::NttTables& tables() const { return tables_; }
  const kernels::Modulus& modulus() const { return tables_.modulus; }

 private:
  AlignedBuffer<u64> storage_;
  kernels::NttTables tables_;
};

// A ring with its chain of moduli: q_0 .. q_{L-1} then the special primes. Immutable, shared.
class Ring {
 public:
  Ring(RingType type, std::size_t n, const std::vector<u64>& moduli);
  RingType type() const { return type_; }
  std::size_t n() const { return n_; }
  std::size_t slots() const { return slot_count(type_, n_); }
  std::size_t count() const { return ntts_.size(); }  // moduli, special ones included
  u64 q(std::size_t i) const { return ntts_[i].modulus().q; }
  const kernels::Modulus& modulus(std::size_t i) const { return ntts_[i].modulus(); }
  const kernels::NttTables& ntt(std::size_t i) const { return ntts_[i].tables(); }

 private:
  RingType type_;
  std::size_t n_;
  std::vector<Ntt> ntts_;
};

}  // namespace velum::ring
