// Parameters: a literal goes in, a checked immutable value comes out. No other code may construct one. Copies
// share their tables.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ring/ring.h"

namespace velum::ckks {

using kernels::u64;
using ring::RingType;

// Classical security in bits. `none` exists for tests on tiny rings and is refused for N > 1024 and by every
// reader of files.
enum class Security : std::uint16_t { none = 0, bits128 = 128, bits192 = 192, bits256 = 256 };

struct ParametersLiteral {
  RingType ring = RingType::real;
  std::size_t n = 0;  // ring dimension, 2^10..2^16 (from 2^4 with Security::none)
  std::vector<u64>
      moduli;  // q_0 .. q_{L-1}: distinct primes = 1 mod 4n (2n standard), kernels::modulus_in_range
  std::vector<u64>
      special;  // P: 1 or more primes of the same kind; their product is at least that of any key-switch
                // digit (group of special.size() consecutive moduli); empty where no key switch is needed
  Security security = Security::bits128;
  bool operator==(const ParametersLiteral&) const = default;
};

using ParametersId = std::array<std::uint8_t, 16>;  // BLAKE2b of the canonical bytes of the literal

class Parameters {
 public:
  // Throws Error(user) naming the field, its value and what is allowed. The security check counts log2(QP).
  explicit Parameters(ParametersLiteral literal);

  // What it owns is named for as long as it lives: temporary parameters have none of these.
  const ParametersLiteral& literal() const& { return literal_; }
  const ParametersLiteral& literal() const&& = delete;
  RingType ring_type() const { return literal_.ring; }
  std::size_t n() const { return literal_.n; }
  std::size_t slots() const { return ring_->slots(); }
  std::size_t limbs() const { return literal_.moduli.size(); }           // L
  std::size_t special_count() const { return literal_.special.size(); }  // alpha
  double log2_qp() const;
  // Moduli 0..L-1 are q_i, L..L+alpha-1 the special primes.
  const ring::Ring& ring() const& { return *ring_; }
  const ring::Ring& ring() const&& = delete;
  const ParametersId& id() const& { return id_; }
  const ParametersId& id() const&& = delete;
  std::string id_text() const;  // hexadecimal

  void write(ByteWriter& out) const;
  static Parameters read(ByteReader& in);  // checks everything again; refuses Security::none

 private:
  ParametersLiteral literal_;
  std::shared_ptr<const ring::Ring> ring_;
  ParametersId id_;
};

// Sizes of moduli in bits, and of their product: log2 of each, and the sum of these from the first modulus
// on. Plans are chosen by comparing such sums, so that their order is part of what they are. Moduli that are
// wanted and not found yet are real numbers.
std::vector<double> bits_of(std::span<const u64> moduli);
std::vector<double> bits_of(std::span<const double> moduli);
double log2_product(std::span<const u64> moduli);
double log2_product(std::span<const double> moduli);
// Of the product of the lowest l moduli at place l, from none of them (0) to all.
std::vector<double> log2_products(std::span<const double> moduli);
// log2(QP) of a literal: that of its moduli and that of its special primes, added.
double log2_qp(const ParametersLiteral& p);

// Bits of the largest group of `special` consecutive moduli, from the sizes of the moduli in bits: the
// special primes' product has at least so many, whatever keys are made. 0 where there are no special primes.
double largest_digit_bits(std::span<const double> moduli, std::size_t special);

// Digits of a key switch over so many limbs, each a group of `alpha` consecutive moduli; 0 without special
// primes.
constexpr std::size_t digit_count(std::size_t limbs, std::size_t alpha) {
  return alpha == 0 ? 0 : (limbs + alpha - 1) / alpha;
}

// Largest log2(QP) for a uniform ternary secret and error deviation 3.2 (Bossuat et al., ePrint 2024/463, the
// table of classical security); 0 where N has no row. Rows for 128, 192, 256 bits, N = 1024 .. 65536.
int max_log2_qp(std::size_t n, Security security);

}  // namespace velum::ckks
