// Where the input ciphertexts of a batch come from.
#pragma once

#include <algorithm>
#include <vector>

#include "ckks/core/ciphertext.h"

namespace velum::engine {

using ckks::u64;

class InputSource {
 public:
  virtual ~InputSource() = default;
  virtual std::size_t count() const = 0;
  // Expands input ciphertext k (of plan::input_ciphertexts) into a view of two polynomials over the
  // limbs that the plan asks for. Thread-safe.
  virtual void read(std::size_t k, ckks::View out) const = 0;
  // Limb l of both polynomials, n words each. Limb 0 of a ciphertext comes before its others: what there is
  // of a checksum is checked with it. Thread-safe.
  virtual void read_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const = 0;
};

// Seeded ciphertexts in memory, for local runs and tests. They must outlive it.
class MemoryInput : public InputSource {
 public:
  MemoryInput(const std::vector<ckks::SeededCiphertext>& inputs, const ckks::Parameters& params)
      : inputs_(inputs), params_(params) {}
  MemoryInput(const std::vector<ckks::SeededCiphertext>&&, const ckks::Parameters&) = delete;
  std::size_t count() const override { return inputs_.size(); }
  void read(std::size_t k, ckks::View out) const override { ckks::expand(out, inputs_[k], params_); }
  void read_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const override {
    const auto n = params_.n();
    std::copy_n(inputs_[k].c0.data() + l * n, n, c0);
    ckks::expand_limb(c1, inputs_[k].seed, l, n, params_.ring().modulus(l));
  }

 private:
  const std::vector<ckks::SeededCiphertext>& inputs_;
  ckks::Parameters params_;
};

}  // namespace velum::engine
