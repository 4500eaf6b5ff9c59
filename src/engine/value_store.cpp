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
  rows_.resize(plan.values.size());
  row_of_.resize(plan.values.size());
  for (std::size_t v = 0; v < plan.values.size(); ++v) {
    const auto& begins = plan.values[v].row_begin;
    rows_[v].resize(begins.size() - 1);
    row_of_[v].resize(plan.values[v].elements);
    for (std::uint32_t r = 0; r + 1 < begins.size(); ++r)
      std::fill(row_of_[v].begin() + begins[r], row_of_[v].begin() + begins[r + 1], r);
  }
}

ValueStore::~ValueStore() {
  for (auto& rows : rows_)
    for (auto& row : rows) pool_.give(std::move(row));
}

void ValueStore::hold(std::uint32_t value, std::uint32_t begin, std::uint32_t end) {
  const auto& v = plan_.values[value];
  for (std::uint32_t r = row_of(value, begin), last = row_of(value, end - 1); r <= last; ++r) {
    auto& row = rows_[value][r];
    if (!row.empty()) continue;
    row = pool_.take((v.row_begin[r + 1] - v.row_begin[r]) * element_words(v, n_));
  }
}

void ValueStore::release(const plan::Release& r) {
  for (std::uint32_t row = r.row_begin; row < r.row_end; ++row) pool_.give(std::move(rows_[r.value][row]));
}

ckks::View ValueStore::element(std::uint32_t value, std::uint32_t e) {
  const auto& v = plan_.values[value];
  const auto r = row_of(value, e);
  auto* data = rows_[value][r].data() + (e - v.row_begin[r]) * element_words(v, n_);
  return {data, v.polys, v.limbs, n_, std::size_t{v.limbs} * n_};
}

}  // namespace velum::engine
