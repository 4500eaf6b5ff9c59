#include "engine/value_store.h"

#include <algorithm>

namespace velum::engine {

namespace {

std::size_t element_words(const plan::Value& v, std::size_t n) {
  return std::size_t{v.polys} * v.limbs * n;
}

}  // namespace

ValueStore::ValueStore(const plan::ServerPlan& plan, std::size_t n, MemoryPool& pool)
    : plan_(plan), n_(n), pool_(pool) {
  blocks_.resize(plan.values.size());
  row_of_.resize(plan.values.size());
  for (std::size_t v = 0; v < plan.values.size(); ++v) {
    const auto& begins = plan.values[v].row_begin;
    blocks_[v].resize(plan.values[v].elements);
    row_of_[v].resize(plan.values[v].elements);
    for (std::uint32_t r = 0; r + 1 < begins.size(); ++r)
      std::fill(row_of_[v].begin() + begins[r], row_of_[v].begin() + begins[r + 1], r);
  }
}

void ValueStore::hold(std::uint32_t value, std::uint32_t begin, std::uint32_t end) {
  const auto& v = plan_.values[value];
  const auto first = v.row_begin[row_of(value, begin)], last = v.row_begin[row_of(value, end - 1) + 1];
  for (auto e = first; e < last; ++e)
    if (!blocks_[value][e]) blocks_[value][e] = pool_.take(element_words(v, n_));
}

void ValueStore::release(const plan::Release& r) {
  const auto& v = plan_.values[r.value];
  for (auto e = v.row_begin[r.row_begin]; e < v.row_begin[r.row_end]; ++e) blocks_[r.value][e].reset();
}

ckks::View ValueStore::element(std::uint32_t value, std::uint32_t e) {
  const auto& v = plan_.values[value];
  return {blocks_[value][e].data(), v.polys, v.limbs, n_, std::size_t{v.limbs} * n_};
}

}  // namespace velum::engine
