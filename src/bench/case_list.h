// What the cases of `velum bench kernels` share: the list that they are added to, and how many
// multiplications a product takes.
#pragma once

#include <cmath>
#include <random>
#include <string_view>
#include <utility>

#include "base/aligned_buffer.h"
#include "bench/kernel_cases.h"

namespace velum::bench {

using Limb = AlignedBuffer<kernels::u64>;

// How many multiplications a variant needs for one product: by a constant factor (Shoup), of two variables
// (Barrett), for a term of a sum that is reduced at its end, and for a term of a long one (run_product:
// halves after Karatsuba where there are no products of 52 bits).
struct ProductCost {
  double factor, general, term, long_term;
};
inline ProductCost product_cost(std::string_view variant) {
  if (variant == "avx512") return {3, 4, 2, 2};
  if (variant == "avx2") return {4, 5, 5, 3};
  return {3, 9, 9, 1};
}

inline Limb random_limb(std::size_t n, kernels::u64 q) {
  static thread_local std::mt19937_64 random(7);
  Limb x(n);
  for (auto& v : x) v = random() % q;
  return x;
}

// The products of a transform: its butterflies, and one an element for the fold (two where a division by n
// follows).
inline double transform_products(std::size_t n, bool inverse) {
  const auto size = static_cast<double>(n);
  return size / 2 * std::log2(size) + (inverse ? 2 : 1) * size;
}

// A resource's place in KernelCase::takes.
inline std::size_t index(Resource r) {
  return static_cast<std::size_t>(r);
}

class CaseList {
 public:
  CaseList(const kernels::Table& table, const std::function<bool(const std::string&)>& wanted)
      : table_(table), cost_(product_cost(table.name)), wanted_(wanted) {}

  // `make` fills body and takes; it is called for wanted cases only.
  template <typename Make>
  void add(std::string name, std::string unit, double work, double bytes, const Make& make) {
    if (!wanted_(name)) return;
    KernelCase c;
    c.name = std::move(name);
    c.unit = std::move(unit);
    c.work = work;
    c.bytes = bytes;
    c.takes[index(Resource::near_bytes)] = bytes;
    make(c);
    cases_.push_back(std::move(c));
  }
  const kernels::Table& table() const { return table_; }
  const ProductCost& cost() const { return cost_; }
  std::vector<KernelCase> take() { return std::move(cases_); }

 private:
  const kernels::Table& table_;
  ProductCost cost_;
  const std::function<bool(const std::string&)>& wanted_;
  std::vector<KernelCase> cases_;
};

// Encoder, samplers, and whole operations on ciphertexts (bench_scheme_cases.cpp).
void add_scheme_cases(CaseList& list);

}  // namespace velum::bench
