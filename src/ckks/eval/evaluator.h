// Operations on ciphertexts with public keys only. All polynomials are in NTT form; views may be of any
// storage.
#pragma once

#include <memory>

#include "ckks/core/keys.h"

namespace velum::ckks {

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
  // Divides by the last modulus q_{limbs-1}, rounding: out.limbs = in.limbs - 1. Two polynomials only (DESIGN
  // 4).
  void rescale(View out2, ConstView in2, u64* scratch) const;
  // Both in one step: the division by P * q_{limbs-1} is done once.
  void relinearise_rescale(View out2, ConstView in3, const SwitchKey& key, u64* scratch) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace velum::ckks
