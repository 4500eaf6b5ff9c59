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

// Switches a polynomial under s' (s^2 for relinearisation) to s. Digit d covers moduli [d*alpha, (d+1)*alpha)
// and is (b_d, a_d) over the moduli 0..limbs-1 and all special primes, NTT form: b_d = -a_d s + e_d + P *
// (indicator of digit d) * s'.
//
// Rows of a digit: modulus i at row i < limbs, special prime k at row limbs + k. Row of modulus m of digit d
// of `a` is the expansion of the seed with stream d * 2^16 + m (docs/formats.md).
struct SwitchKey {
  std::size_t limbs = 0, digits = 0;
  std::vector<AlignedBuffer<u64>> b, a;  // [digits], each [limbs + alpha][n]
  Seed seed{};                           // a is its expansion: only b and the seed travel
};

// Digits of a key switch at `limbs` limbs: groups of special_count() consecutive moduli, the last perhaps
// smaller.
std::size_t digit_count(std::size_t limbs, const Parameters& params);
// The index in params.ring() of the modulus of a row.
std::size_t switch_key_modulus(const SwitchKey& key, const Parameters& params, std::size_t row);
// Fills `a` from the seed; limbs and digits are set already.
void expand_switch_key(SwitchKey& key, const Parameters& params);
// Refuses a list that the parameters cannot carry; `what` names its origin.
void check_key_list(const KeyList& list, const Parameters& params, const std::string& what);

struct EvaluationKeys {
  ParametersId params{};
  std::array<std::uint8_t, 16> key_id{};  // names the secret key they belong to, tells nothing about it
  KeyList list;
  SwitchKey relinearise;

  // The payload of a FileType::evaluation_keys container.
  std::vector<std::uint8_t> write(const Parameters& parameters) const;
  static EvaluationKeys read(ByteReader& in, const Parameters& parameters);
};

}  // namespace velum::ckks
