// What only the data owner does: keys, encryption, decryption. The server never links this room. Randomness
// is passed to everything that draws (ring/randomness.h).
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "ckks/core/encoder.h"
#include "ckks/core/keys.h"
#include "ring/randomness.h"

namespace velum::ckks {

// Uniform ternary secret in NTT form over all moduli; wiped when it dies.
class SecretKey {
 public:
  static SecretKey generate(const Parameters& params, const ring::Randomness& randomness);
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
  // The whole file, and back; `what` names it in errors. Both sides in memory for secrets.
  SecretBuffer<std::uint8_t> to_file() const;
  static SecretKey from_file(std::span<const std::uint8_t> file, const Parameters& params,
                             const std::string& what);

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
  // The whole file, and back; `what` names it in errors.
  std::vector<std::uint8_t> to_file(const Parameters& parameters) const;
  static PublicKey from_file(std::span<const std::uint8_t> file, const Parameters& parameters,
                             const std::string& what);
};

// `progress`: called between keys with the share that is made; what it throws ends the work.
EvaluationKeys generate_keys(const Parameters& params, const SecretKey& secret, const KeyList& list,
                             const ring::Randomness& randomness,
                             const std::function<void(double done)>& progress = {});
PublicKey generate_public_key(const Parameters& params, const SecretKey& secret,
                              const ring::Randomness& randomness);

// Encrypts up to `slots` values at `scale` over the first `limbs` moduli. Thread-safe; each call draws a seed
// and an error of its own.
class Encryptor {
 public:
  // The key must outlive it.
  Encryptor(const Parameters& params, const SecretKey& secret, ring::Randomness randomness);
  Encryptor(const Parameters& params, const SecretKey&& secret, ring::Randomness randomness) = delete;
  SeededCiphertext encrypt(std::span<const double> values, double scale, std::size_t limbs) const;

 private:
  Parameters params_;
  const SecretKey& secret_;
  ring::Randomness randomness_;
  Encoder encoder_;
};

Ciphertext encrypt_public(const Parameters& params, const PublicKey& key, const Encoder& encoder,
                          std::span<const double> values, double scale, std::size_t limbs,
                          const ring::Randomness& randomness);

// Slot values of a ciphertext of two or three polynomials.
class Decryptor {
 public:
  Decryptor(const Parameters& params, const SecretKey& secret);  // the key must outlive it
  Decryptor(const Parameters& params, const SecretKey&& secret) = delete;
  void decrypt(std::span<double> values, ConstView ciphertext, double scale) const;

 private:
  Parameters params_;
  const SecretKey& secret_;
  Encoder encoder_;
  std::vector<kernels::Factor> inverses_;  // [l][j], 1/q_j mod q_l for j < l: the mixed-radix digits
};

}  // namespace velum::ckks
