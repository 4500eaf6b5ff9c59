// Shared by the tests of this folder: small parameters, polynomials by schoolbook, JSON vectors.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "ckks/client/client.h"
#include "ckks/eval/evaluator.h"
#include "ring/primes.h"

namespace velum::ckks::test {

inline const auto kRandomness = ring::Randomness::system();

using Limbs = std::vector<std::vector<u64>>;  // [limb][coefficient]

inline nlohmann::json read_vectors(const std::string& name) {
  std::ifstream in(std::string(VELUM_SOURCE_DIR) + "/tests/vectors/" + name);
  EXPECT_TRUE(in) << name;
  return nlohmann::json::parse(in);
}

inline RingType ring_type(const nlohmann::json& v) {
  return v.at("ring") == "real" ? RingType::real : RingType::standard;
}

// Primes of the given sizes in bits, all different.
inline ParametersLiteral literal(RingType ring, std::size_t n, const std::vector<double>& bits,
                                 const std::vector<double>& special, Security security = Security::none) {
  ParametersLiteral p;
  p.ring = ring;
  p.n = n;
  p.security = security;
  std::vector<u64> taken;
  const auto next = [&](double b) {
    taken.push_back(ring::prime_near(std::exp2(b), ring::root_order(ring, n), taken));
    return taken.back();
  };
  for (const double b : bits) p.moduli.push_back(next(b));
  for (const double b : special) p.special.push_back(next(b));
  return p;
}

inline std::vector<double> random_slots(std::size_t count, std::uint32_t seed, double bound = 1) {
  std::mt19937 g(seed);
  std::uniform_real_distribution<double> d(-bound, bound);
  std::vector<double> v(count);
  for (auto& x : v) x = d(g);
  return v;
}

// Coefficients per modulus into limbs of NTT form.
inline void load(View out, std::size_t poly, const Limbs& coefficients, const Parameters& params) {
  for (std::size_t l = 0; l < out.limbs; ++l) {
    std::copy(coefficients[l].begin(), coefficients[l].end(), out.limb(poly, l));
    kernels::table().ntt_forward(out.limb(poly, l), params.ring().ntt(l));
  }
}

inline Limbs store(ConstView in, std::size_t poly, const Parameters& params) {
  Limbs out;
  for (std::size_t l = 0; l < in.limbs; ++l) {
    out.emplace_back(in.limb(poly, l), in.limb(poly, l) + in.n);
    kernels::table().ntt_inverse(out.back().data(), params.ring().ntt(l));
  }
  return out;
}

// Expanded ciphertext of a seeded one.
inline Ciphertext expanded(const SeededCiphertext& c, const Parameters& params) {
  Ciphertext out(params, 2, c.limbs, c.scale);
  expand(out.view(), c, params);
  return out;
}

inline std::vector<double> decrypted(const Decryptor& d, const Ciphertext& c, const Parameters& params) {
  std::vector<double> v(params.slots());
  d.decrypt(v, c.view(), c.scale());
  return v;
}

inline double largest_difference(std::span<const double> a, std::span<const double> b) {
  double worst = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

inline double rms_difference(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum / static_cast<double>(a.size()));
}

// The message of the user error that `body` must throw.
template <typename Body>
std::string user_error(const Body& body) {
  try {
    body();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

}  // namespace velum::ckks::test
