// Operations on ciphertexts with public keys only. All polynomials are in NTT form; views may be of any
// storage.
#pragma once

#include <memory>

#include "ckks/core/keys.h"
#include "ring/automorphism.h"

namespace velum::ckks {

// The digits of c1 of a ciphertext at every modulus of a key switch: what all its rotations share.
struct Decomposed {
  ConstView in;
  const u64* lifted = nullptr;
};

class Evaluator {
 public:
  explicit Evaluator(const Parameters& params);
  Evaluator(Evaluator&&) noexcept;
  ~Evaluator();

  const Parameters& params() const;

  // Words of scratch memory that the operations below need for ciphertexts of up to `limbs` limbs.
  std::size_t scratch_words(std::size_t limbs) const;

  void add(View out, ConstView a, ConstView b) const;
  void subtract(View out, ConstView a, ConstView b) const;
  void multiply_scalar(View out, ConstView a, std::int64_t w) const;
  void add_scalar(View out,
                  std::int64_t w) const;        // adds the constant w (already at the scale) to every slot
  void square(View out3, ConstView in2) const;  // three polynomials
  void multiply(View out3, ConstView a2, ConstView b2) const;  // out apart from both inputs

  // Three polynomials to two, same limbs. out may share its first two polynomials with in.
  void relinearise(View out2, ConstView in3, const SwitchKey& key, u64* scratch) const;
  // Divides by the last modulus q_{limbs-1}, rounding: out.limbs = in.limbs - 1. Two polynomials only
  // (docs/design.md, "Levels and scales").
  void rescale(View out2, ConstView in2, u64* scratch) const;
  // Both in one step: the division by P * q_{limbs-1} is done once.
  void relinearise_rescale(View out2, ConstView in3, const SwitchKey& key, u64* scratch) const;

  // Brings slot j + steps to slot j (ring/automorphism.h), with the key for that rotation. Where out has one
  // limb fewer than in, the division by the last modulus is done with that by P. out may be in.
  void rotate(View out2, ConstView in2, const SwitchKey& key, const ring::Rotation& by, u64* scratch) const;

  // Hoisted: the same bits as rotate(), with the digits of a ciphertext lifted once for all its rotations.
  // `storage` has decomposed_words(in.limbs) words, read as long as the result is, and so is `in`. out apart
  // from in.
  std::size_t decomposed_words(std::size_t limbs) const;
  Decomposed decompose(ConstView in2, u64* storage, u64* scratch) const;
  void rotate_decomposed(View out2, const Decomposed& x, const SwitchKey& key, const ring::Rotation& by,
                         u64* scratch) const;

  // Sums of rotations with one division: `sum`, extended_words(limbs) words, starts as P in, rotations of
  // ciphertexts of as many limbs are added to it, and it is divided by P, or by P and the last modulus where
  // out has one limb fewer. The division spends it.
  std::size_t extended_words(std::size_t limbs) const;
  void start_extended(u64* sum, ConstView in2) const;
  void add_rotated_extended(u64* sum, const Decomposed& x, const SwitchKey& key, const ring::Rotation& by,
                            u64* scratch) const;
  void divide_extended(View out2, u64* sum, std::size_t limbs, u64* scratch) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace velum::ckks
