#include <algorithm>

#include "base/error.h"
#include "ckks/client/client.h"
#include "ring/primes.h"

namespace velum::ckks {

Decryptor::Decryptor(const Parameters& params, const SecretKey& secret)
    : params_(params), secret_(secret), encoder_(params.ring_type(), params.n()) {
  if (secret.params_id() != params.id())
    fail_user(
        "decrypt: the secret key was made under other parameters than {}; use the key made from this plan",
        params.id_text());
  const auto& ring = params.ring();
  inverses_.resize(params.limbs() * params.limbs());
  for (std::size_t l = 0; l < params.limbs(); ++l)
    for (std::size_t j = 0; j < l; ++j)
      inverses_[l * params.limbs() + j] =
          kernels::make_factor(ring::inverse_mod(ring.q(j) % ring.q(l), ring.q(l)), ring.modulus(l));
}

// Reconstruction by mixed-radix digits: x = d_0 + q_0 (d_1 + q_1 (d_2 + ...)) with balanced digits |d_l| <
// q_l / 2. All moduli being odd, that is the centred x; the digits above its magnitude are exactly zero, so
// that Horner's rule in double precision is as precise as a double can be, whatever the number of limbs.
void Decryptor::decrypt(std::span<double> values, ConstView c, double scale) const {
  const std::size_t n = params_.n(), limbs = c.limbs;
  if (c.n != n || c.polys < 2 || c.polys > 3 || limbs < 1 || limbs > params_.limbs())
    fail_user(
        "decrypt: {} polynomials of {} limbs and dimension {}; 2 or 3 of 1 to {} limbs and dimension {} are "
        "expected",
        c.polys, limbs, c.n, params_.limbs(), n);
  const auto& k = kernels::table();
  SecretBuffer<u64> residues(limbs * n), digit(n);
  SecretBuffer<std::int64_t> digits(limbs * n);
  for (std::size_t l = 0; l < limbs; ++l) {
    const auto& m = params_.ring().modulus(l);
    u64* x = residues.data() + l * n;
    std::copy_n(c.limb(c.polys - 1, l), n, x);
    for (std::size_t p = c.polys - 1; p-- > 0;) {  // Horner's rule in the secret
      k.multiply(x, x, secret_.limb(l), n, m);
      k.add(x, x, c.limb(p, l), n, m);
    }
    k.ntt_inverse(x, params_.ring().ntt(l));
    for (std::size_t j = 0; j < l; ++j) {
      k.from_int64(digit.data(), digits.data() + j * n, n, m);
      k.subtract_multiply_scalar(x, x, digit.data(), inverses_[l * params_.limbs() + j], n, m);
    }
    std::int64_t* d = digits.data() + l * n;
    const auto q = static_cast<std::int64_t>(m.q), half = q / 2;
    for (std::size_t i = 0; i < n; ++i) {
      const auto r = static_cast<std::int64_t>(x[i]);
      d[i] = r - (q & -static_cast<std::int64_t>(r > half));
    }
  }
  SecretBuffer<double> coefficients(n);
  for (std::size_t l = limbs; l-- > 0;) {
    const auto q = static_cast<double>(params_.ring().q(l));
    const std::int64_t* d = digits.data() + l * n;
    for (std::size_t i = 0; i < n; ++i) coefficients[i] = coefficients[i] * q + static_cast<double>(d[i]);
  }
  encoder_.decode(values, coefficients.span(), scale);
}

}  // namespace velum::ckks
