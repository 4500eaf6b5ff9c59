#include "ring/base_conversion.h"

#include "ring/primes.h"

namespace velum::ring {

namespace {

// The product of the source moduli, without the one at place `skip`, modulo q.
u64 product_mod(std::span<const kernels::Modulus> moduli, std::size_t skip, u64 q) {
  u64 p = 1;
  for (std::size_t i = 0; i < moduli.size(); ++i)
    if (i != skip) p = static_cast<u64>(static_cast<kernels::u128>(p) * (moduli[i].q % q) % q);
  return p;
}

}  // namespace

BaseConversion::BaseConversion(const Ring& ring, std::span<const std::size_t> sources,
                               std::span<const std::size_t> targets) {
  for (const std::size_t i : sources) source_moduli_.push_back(ring.modulus(i));
  for (const std::size_t j : targets) target_moduli_.push_back(ring.modulus(j));
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto& m = source_moduli_[i];
    punctured_inverse_.push_back(
        kernels::make_factor(inverse_mod(product_mod(source_moduli_, i, m.q), m.q), m));
  }
  for (const auto& m : target_moduli_) {
    for (std::size_t i = 0; i < sources.size(); ++i)
      punctured_.push_back(product_mod(source_moduli_, i, m.q));
    product_.push_back(product_mod(source_moduli_, sources.size(), m.q));
  }
}

kernels::BaseConversion BaseConversion::view() const {
  kernels::BaseConversion v;
  v.sources = sources();
  v.targets = targets();
  v.source_moduli = source_moduli_.data();
  v.punctured_inverse = punctured_inverse_.data();
  v.target_moduli = target_moduli_.data();
  v.punctured = punctured_.data();
  v.product = product_.data();
  return v;
}

}  // namespace velum::ring
