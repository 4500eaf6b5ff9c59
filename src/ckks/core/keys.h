// Public key material, and the list of keys that a plan asks for. Secret keys are in ckks/client only.
#pragma once

#include <vector>

#include "ckks/core/ciphertext.h"

namespace velum::ckks {

// The version of FileType::evaluation_keys.
inline constexpr std::uint32_t kEvaluationKeysVersion = 2;

// A key for rotations by `steps`, 0 < steps < slots (ring::normalised_steps: a rotation by -1 has slots - 1),
// of ciphertexts of up to `limbs` limbs.
struct RotationKeyEntry {
  std::uint32_t steps = 0;
  std::size_t limbs = 0;
  bool operator==(const RotationKeyEntry&) const = default;
};

// What the server needs, as stated by a plan. No key is taller than its use.
struct KeyList {
  std::size_t relinearise_limbs = 0;  // limbs of the tallest ciphertext that is relinearised; 0: no such key
  std::vector<RotationKeyEntry> rotations = {};  // by increasing steps, no two alike
  bool empty() const { return relinearise_limbs == 0 && rotations.empty(); }
  bool operator==(const KeyList&) const = default;
};

// Switches a polynomial under s' to one under t. Digit d covers moduli [d*alpha, (d+1)*alpha) and is (b_d,
// a_d) over the moduli 0..limbs-1 and all special primes, NTT form: b_d = -a_d t + e_d + P * (indicator of
// digit d) * s'.
//
// Relinearisation: s' = s^2, t = s. Rotation by r, with g the automorphism X -> X^(5^r): s' = s and t =
// g^-1(s). The switched ciphertext decrypts under g^-1(s), so that g of it decrypts under s: the permutation
// of the residues comes last, on two polynomials, and the digits of a ciphertext serve all its rotations.
//
// Rows of a digit: modulus i at row i < limbs, special prime k at row limbs + k. Row of modulus m of digit d
// of `a` is the expansion of the seed with stream d * 2^16 + m (docs/formats.md).
struct SwitchKey {
  std::uint32_t steps = 0;  // of the rotation; 0: for relinearisation
  std::size_t limbs = 0, digits = 0;
  std::vector<AlignedBuffer<u64>> b, a;  // [digits], each [limbs + alpha][n]
  // a is the expansion of the seed: only b and the seed travel. Of two keys with one a, the difference would
  // show P (s1' - s2') but for errors: every key has a seed of its own.
  Seed seed{};
};

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
  std::vector<SwitchKey> rotations;  // as list.rotations

  // The payload of a FileType::evaluation_keys container.
  std::vector<std::uint8_t> write(const Parameters& parameters) const;
  static EvaluationKeys read(ByteReader& in, const Parameters& parameters);
};

// The key for rotations by `steps` (any sign); nullptr where there is none.
const SwitchKey* rotation_key(const EvaluationKeys& keys, std::int64_t steps, const Parameters& params);
// Bytes of a switching key of `limbs` limbs in memory, both halves expanded; 0 where it has no digit.
std::uint64_t switch_key_bytes(std::size_t limbs, std::size_t special, std::size_t n);

}  // namespace velum::ckks
