// Where the input ciphertexts of a batch come from.
#pragma once

#include <algorithm>
#include <span>
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

  // The same for several ciphertexts, whose checksums take less time together: kReadTogether where there are
  // so many.
  struct Whole {
    std::size_t k;
    ckks::View out;
  };
  struct Limb {
    std::size_t k;
    u64 *c0, *c1;
  };
  virtual void read_several(std::span<const Whole> all) const {
    for (const auto& [k, out] : all) read(k, out);
  }
  virtual void read_limb_of_several(std::span<const Limb> all, std::size_t l) const {
    for (const auto& [k, c0, c1] : all) read_limb(k, l, c0, c1);
  }
};

// How many of `count` ciphertexts one of `workers` reads at a time: enough turns for all of them first.
inline constexpr std::size_t kReadTogether = 8;
inline std::size_t read_together(std::size_t count, std::size_t workers) {
  return std::clamp<std::size_t>(count / (4 * workers), 1, kReadTogether);
}

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
