// What only the data owner does: keys, encryption, decryption. The server never links this room.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "ckks/core/encoder.h"
#include "ckks/core/keys.h"

namespace velum::ckks {

// Uniform ternary secret in NTT form over all moduli; wiped when it dies.
class SecretKey {
 public:
  static SecretKey generate(const Parameters& params);                     // system randomness
  static SecretKey from_seed(const Parameters& params, const Seed& seed);  // reproducible: tests only
  static SecretKey from_coefficients(const Parameters& params,
                                     std::span<const std::int8_t> ternary);  // tests, vectors
  const std::array<std::uint8_t, 16>& id() const { return id_; }
  const ParametersId& params_id() const { return params_id_; }
  const u64* limb(std::size_t i) const {
    return ntt_.data() + i * n_;
  }  // of modulus i, special primes included

  // The payload of a FileType::secret_key container: parameter id, key id, ternary coefficients of 2 bits
  // each.
  SecretBuffer<std::uint8_t> write() const;
  static SecretKey read(ByteReader& in, const Parameters& params);
  // The whole file, of mode 0600; no copy of its bytes is left in memory.
  void save(const std::string& path) const;
  static SecretKey load(const std::string& path, const Parameters& params);

 private:
  SecretKey(const Parameters& params, SecretBuffer<std::int8_t> ternary);

  std::size_t n_ = 0;
  ParametersId params_id_{};
  std::array<std::uint8_t, 16> id_{};
  SecretBuffer<std::int8_t> ternary_;
  SecretBuffer<u64> ntt_;
};

struct PublicKey {
  ParametersId params{};
  std::array<std::uint8_t, 16> key_id{};
  Seed seed{};              // a is its expansion, as in a seeded ciphertext
  AlignedBuffer<u64> b, a;  // [L][n] NTT form, b = -a s + e

  // The payload of a FileType::public_key container.
  std::vector<std::uint8_t> write(const Parameters& parameters) const;
  static PublicKey read(ByteReader& in, const Parameters& parameters);
};

EvaluationKeys generate_keys(const Parameters& params, const SecretKey& secret, const KeyList& list);
PublicKey generate_public_key(const Parameters& params, const SecretKey& secret);

// Encrypts up to `slots` values at `scale` over the first `limbs` moduli. Thread-safe; each call draws its
// own randomness.
class Encryptor {
 public:
  Encryptor(const Parameters& params, const SecretKey& secret);
  SeededCiphertext encrypt(std::span<const double> values, double scale, std::size_t limbs) const;

 private:
  const Parameters& params_;
  const SecretKey& secret_;
  Encoder encoder_;
};

Ciphertext encrypt_public(const Parameters& params, const PublicKey& key, const Encoder& encoder,
                          std::span<const double> values, double scale, std::size_t limbs);

// Slot values of a ciphertext of two or three polynomials.
class Decryptor {
 public:
  Decryptor(const Parameters& params, const SecretKey& secret);
  void decrypt(std::span<double> values, ConstView ciphertext, double scale) const;

 private:
  const Parameters& params_;
  const SecretKey& secret_;
  Encoder encoder_;
  std::vector<kernels::Factor> inverses_;  // [l][j], 1/q_j mod q_l for j < l: the mixed-radix digits
};

}  // namespace velum::ckks
