#include "ring/ring.h"

#include <bit>

#include "base/error.h"
#include "ring/primes.h"

namespace velum::ring {

std::string_view name(RingType type) {
  return type == RingType::real ? "real" : "standard";
}

// The tree of kernels/types.h in exponents of zeta: the node with index k splits X^m - zeta^e with r =
// zeta^(e/2), and its children are X^{m/2} - zeta^(e/2) and X^{m/2} + zeta^(e/2) = X^{m/2} - zeta^(e/2 +
// order/2). The root has e = n: zeta^n is psi in the real ring (order 4n) and -1 in the standard ring (order
// 2n).
Ntt::Ntt(RingType type, std::size_t n, u64 q) {
  const u64 order = root_order(type, n);
  if (!std::has_single_bit(n) || n < 8) fail_user("ring dimension {}: a power of two from 8 on is needed", n);
  if (!is_prime(q)) fail_user("modulus {} is not a prime", q);
  if (q % order != 1)
    fail_user("modulus {} is not 1 mod {}, as the {} ring of dimension {} needs", q, order, name(type), n);

  tables_.n = n;
  tables_.modulus = kernels::make_modulus(q);
  tables_.fold = type == RingType::real;
  const u64 zeta = primitive_root(order, q);
  const auto multiply = [q](u64 a, u64 b) { return static_cast<u64>(static_cast<kernels::u128>(a) * b % q); };

  std::vector<u64> powers(order);
  powers[0] = 1;
  for (u64 e = 1; e < order; ++e) powers[e] = multiply(powers[e - 1], zeta);
  std::vector<u64> exponent(n);
  exponent[1] = n;
  for (std::size_t k = 2; k < n; ++k) exponent[k] = exponent[k / 2] / 2 + (k % 2 ? order / 2 : 0);

  storage_ = AlignedBuffer<u64>::zeroed(table_words(n));
  u64* arrays[6];
  for (std::size_t i = 0; i < 6; ++i) arrays[i] = storage_.data() + i * n;
  const auto place = [&](std::size_t first, std::size_t k, u64 e) {
    const auto f = kernels::make_factor(powers[e % order], tables_.modulus);
    arrays[first][k] = f.value;
    arrays[first + 1][k] = f.quotient64;
    arrays[first + 2][k] = f.quotient52;
  };
  for (std::size_t k = 1; k < n; ++k) {
    place(0, k, exponent[k] / 2);
    place(3, k, order - exponent[k] / 2);
  }
  tables_.roots = arrays[0];
  tables_.roots_quotient64 = arrays[1];
  tables_.roots_quotient52 = arrays[2];
  tables_.inverse_roots = arrays[3];
  tables_.inverse_roots_quotient64 = arrays[4];
  tables_.inverse_roots_quotient52 = arrays[5];
  // Undoing the fold halves: 2 a_i = b_i + psi b_{n-i}.
  tables_.n_inverse = kernels::make_factor(inverse_mod(tables_.fold ? 2 * n : n, q), tables_.modulus);
  if (tables_.fold) tables_.psi = kernels::make_factor(powers[n], tables_.modulus);
}

Ring::Ring(RingType type, std::size_t n, const std::vector<u64>& moduli) : type_(type), n_(n) {
  ntts_.reserve(moduli.size());
  for (const u64 q : moduli) ntts_.emplace_back(type, n, q);
}

}  // namespace velum::ring
