// Where the input ciphertexts of a batch come from.
#pragma once

#include <vector>

#include "ckks/core/ciphertext.h"

namespace velum::engine {

class InputSource {
 public:
  virtual ~InputSource() = default;
  virtual std::size_t count() const = 0;
  // Expands input ciphertext k (of plan::input_ciphertexts) into a view of two polynomials over the
  // limbs that the plan asks for. Thread-safe.
  virtual void read(std::size_t k, ckks::View out) const = 0;
};

// Seeded ciphertexts in memory, for local runs and tests. They must outlive it.
class MemoryInput : public InputSource {
 public:
  MemoryInput(const std::vector<ckks::SeededCiphertext>& inputs, const ckks::Parameters& params)
      : inputs_(inputs), params_(params) {}
  MemoryInput(const std::vector<ckks::SeededCiphertext>&&, const ckks::Parameters&) = delete;
  std::size_t count() const override { return inputs_.size(); }
  void read(std::size_t k, ckks::View out) const override { ckks::expand(out, inputs_[k], params_); }

 private:
  const std::vector<ckks::SeededCiphertext>& inputs_;
  ckks::Parameters params_;
};

}  // namespace velum::engine
