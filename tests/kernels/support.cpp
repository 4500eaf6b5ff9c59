#include "support.h"

#include <fmt/format.h>

namespace velum::kernels::testing {

u64 multiply_mod(u64 a, u64 b, u64 q) {
  return static_cast<u64>(static_cast<u128>(a) * b % q);
}

u64 power_mod(u64 a, u64 e, u64 q) {
  u64 r = 1;
  for (a %= q; e; e >>= 1, a = multiply_mod(a, a, q)) {
    if (e & 1) r = multiply_mod(r, a, q);
  }
  return r;
}

u64 inverse_mod(u64 a, u64 q) {
  return power_mod(a, q - 2, q);
}

bool is_prime(u64 n) {
  if (n < 2 || n % 2 == 0) return n == 2;
  u64 odd = n - 1;
  int twos = 0;
  for (; odd % 2 == 0; odd /= 2) ++twos;
  for (const u64 base : {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}) {
    if (n % base == 0) return n == base;
    u64 x = power_mod(base, odd, n);
    bool witness = x != 1 && x != n - 1;
    for (int i = 1; i < twos && witness; ++i) {
      x = multiply_mod(x, x, n);
      witness = x != n - 1;
    }
    if (witness) return false;
  }
  return true;
}

u64 prime_below(u64 limit, u64 step) {
  u64 q = (limit - 1) / step * step + 1;
  while (!is_prime(q)) q -= step;
  return q;
}

std::vector<u64> test_primes(u64 step) {
  const u64 two_digit_limit = 4007346184u;
  u64 above = two_digit_limit / step * step + step + 1;
  while (!is_prime(above)) above += step;
  std::vector<u64> primes{prime_below((u64{1} << 48) - (u64{1} << 33) - 1, step), above,
                          prime_below(two_digit_limit - 1, step)};
  for (const int bits : {23, 25, 30, 36, 42, 47}) primes.push_back(prime_below(u64{1} << bits, step));
  return primes;
}

std::vector<u64> random_residues(std::size_t n, u64 q, Random& random) {
  const u64 edges[] = {0, 1, q - 1, q / 2, q / 2 + 1};
  std::vector<u64> v(n);
  for (u64& x : v) {
    const u64 r = random();
    x = r % 8 == 0 ? edges[(r >> 8) % 5] : random() % q;
  }
  return v;
}

Transform::Transform(std::size_t n, u64 q, bool real) {
  const u64 order = (real ? 4 : 2) * n;
  for (u64 g = 2; zeta == 0; ++g) {
    const u64 z = power_mod(g, (q - 1) / order, q);
    if (power_mod(z, order / 2, q) == q - 1) zeta = z;
  }
  // The node with index k stands for X^m - zeta^exponent[k]; its root is zeta^(exponent[k] / 2), its children
  // have exponents exponent[k] / 2 and that plus half the order.
  std::vector<u64> exponent(2 * n);
  exponent[1] = n;
  for (std::size_t k = 1; k < n; ++k) {
    exponent[2 * k] = exponent[k] / 2;
    exponent[2 * k + 1] = exponent[k] / 2 + order / 2;
  }
  evaluation_exponent.assign(exponent.begin() + static_cast<std::ptrdiff_t>(n), exponent.end());
  tables.n = n;
  tables.modulus = make_modulus(q);
  for (auto& s : storage_) s.resize(n);
  for (std::size_t k = 1; k < n; ++k) {
    const Factor r = make_factor(power_mod(zeta, exponent[k] / 2, q), tables.modulus);
    const Factor inverse = make_factor(inverse_mod(r.value, q), tables.modulus);
    const u64 entries[] = {r.value,       r.quotient64,       r.quotient52,
                           inverse.value, inverse.quotient64, inverse.quotient52};
    for (std::size_t i = 0; i < 6; ++i) storage_[i][k] = entries[i];
  }
  tables.roots = storage_[0].data();
  tables.roots_quotient64 = storage_[1].data();
  tables.roots_quotient52 = storage_[2].data();
  tables.inverse_roots = storage_[3].data();
  tables.inverse_roots_quotient64 = storage_[4].data();
  tables.inverse_roots_quotient52 = storage_[5].data();
  tables.n_inverse = make_factor(inverse_mod(real ? 2 * n : n, q), tables.modulus);
  tables.fold = real;
  if (real) tables.psi = make_factor(power_mod(zeta, n, q), tables.modulus);
}

std::string describe(const std::vector<u64>& expected, const std::vector<u64>& actual) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i] != actual[i]) {
      return fmt::format("first difference at {} of {}: expected {}, got {}", i, expected.size(), expected[i],
                         actual[i]);
    }
  }
  return "equal";
}

}  // namespace velum::kernels::testing
