// Public key material, and the list of keys that a plan asks for. Secret keys are in ckks/client only.
#pragma once

#include <vector>

#include "ckks/core/ciphertext.h"

namespace velum::ckks {

// What the server needs, as stated by a plan. No key is taller than its use.
struct KeyList {
  std::size_t relinearise_limbs = 0;  // limbs of the tallest ciphertext that is relinearised; 0: no such key
  bool operator==(const KeyList&) const = default;
};

// Switches a polynomial under s' (s^2 for relinearisation) to s. Digit d covers moduli [d*alpha, (d+1)*alpha) and is
// (b_d, a_d) over the moduli 0..limbs-1 and all special primes, NTT form:
// b_d = -a_d s + e_d + P * (indicator of digit d) * s'.
struct SwitchKey {
  std::size_t limbs = 0, digits = 0;
  std::vector<AlignedBuffer<u64>> b, a;  // [digits], each [limbs + alpha][n]
  Seed seed{};                           // a is its expansion: only b and the seed travel
};

struct EvaluationKeys {
  ParametersId params{};
  std::array<std::uint8_t, 16> key_id{};  // names the secret key they belong to, tells nothing about it
  KeyList list;
  SwitchKey relinearise;

  std::vector<std::uint8_t> write(const Parameters& params) const;
  static EvaluationKeys read(ByteReader& in, const Parameters& params);
};

}  // namespace velum::ckks
