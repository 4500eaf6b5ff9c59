// What the kernel tests share: guarded arrays, random and edge residues, primes, and transform tables built
// from the definition rather than by the code under test.
#pragma once

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/table.h"

namespace velum::kernels::testing {

using Random = std::mt19937_64;

// An array between two canaries, optionally off its 64-byte alignment by a number of elements.
template <typename T>
class Guarded {
 public:
  explicit Guarded(std::size_t n, std::size_t misalign = 0) : n_(n), bytes_(n * sizeof(T) + 4 * kGuard) {
    auto address = reinterpret_cast<std::uintptr_t>(bytes_.data()) + kGuard;
    address = (address + 63) / 64 * 64 + misalign * sizeof(T);
    begin_ = address - reinterpret_cast<std::uintptr_t>(bytes_.data());
    for (std::size_t i = 0; i < bytes_.size(); ++i) bytes_[i] = canary(i);
  }
  T* data() { return reinterpret_cast<T*>(bytes_.data() + begin_); }
  std::size_t size() const { return n_; }
  T& operator[](std::size_t i) { return data()[i]; }
  void assign(const std::vector<T>& v) { std::memcpy(data(), v.data(), v.size() * sizeof(T)); }
  std::vector<T> values() { return {data(), data() + n_}; }
  bool intact() const {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if ((i < begin_ || i >= begin_ + n_ * sizeof(T)) && bytes_[i] != canary(i)) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 128;
  static std::uint8_t canary(std::size_t i) { return static_cast<std::uint8_t>(0xa5 ^ (i * 37)); }
  std::size_t n_, begin_ = 0;
  std::vector<std::uint8_t> bytes_;
};

u64 multiply_mod(u64 a, u64 b, u64 q);
u64 power_mod(u64 a, u64 e, u64 q);
u64 inverse_mod(u64 a, u64 q);  // q prime
bool is_prime(u64 n);
// The largest prime = 1 mod `step` that is at most `limit`.
u64 prime_below(u64 limit, u64 step);

// Primes = 1 mod `step`: the largest that Velum allows, both sides of the two-digit limit, and several sizes.
std::vector<u64> test_primes(u64 step);

// Uniform residues with about one in eight an edge value (0, 1, q-1, q/2, q/2+1).
std::vector<u64> random_residues(std::size_t n, u64 q, Random& random);

// Tables of the transform for one prime. evaluation_exponent[k]: output k is the value at zeta^that.
struct Transform {
  Transform(std::size_t n, u64 q, bool real);
  NttTables tables;
  u64 zeta = 0;
  std::vector<u64> evaluation_exponent;

 private:
  std::vector<u64> storage_[6];
};

std::string describe(const std::vector<u64>& expected, const std::vector<u64>& actual);

}  // namespace velum::kernels::testing
