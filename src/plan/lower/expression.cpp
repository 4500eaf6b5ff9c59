#include "plan/lower/expression.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace velum::plan {

namespace {

std::uint64_t hash_bytes(const void* data, std::size_t bytes) {
  return std::hash<std::string_view>{}({static_cast<const char*>(data), bytes});
}

// Appends blocks of weights to an expression, or finds an equal one that is already there.
class BlockStore {
 public:
  explicit BlockStore(std::vector<float>& weights) : weights_(weights) {}
  std::size_t add(const std::vector<float>& block) {
    const auto hash = hash_bytes(block.data(), block.size() * sizeof(float));
    const auto [begin, end] = known_.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      const auto [offset, size] = it->second;
      if (size == block.size() &&
          std::equal(block.begin(), block.end(), weights_.begin() + static_cast<std::ptrdiff_t>(offset)))
        return offset;
    }
    const std::size_t offset = weights_.size();
    weights_.insert(weights_.end(), block.begin(), block.end());
    known_.emplace(hash, std::pair{offset, block.size()});
    return offset;
  }

 private:
  std::vector<float>& weights_;
  std::unordered_multimap<std::uint64_t, std::pair<std::size_t, std::size_t>> known_;
};

}  // namespace

const ColumnRange& ColumnTable::range(std::uint32_t vector, SourceKind kind, std::uint32_t count,
                                      std::int32_t shift) {
  for (const auto& r : ranges_)
    if (r.vector == vector && r.kind == kind && r.shift == shift) return r;
  const Column first = ranges_.empty() ? 0 : ranges_.back().first + ranges_.back().count;
  ranges_.push_back({vector, kind, first, count, shift});
  return ranges_.back();
}

std::size_t ColumnTable::index_of(Column c) const {
  const auto it = std::upper_bound(ranges_.begin(), ranges_.end(), c,
                                   [](Column column, const ColumnRange& r) { return column < r.first; });
  return static_cast<std::size_t>(it - ranges_.begin()) - 1;
}

std::uint32_t Supports::intern(std::vector<Column> columns) {
  const auto hash = hash_bytes(columns.data(), columns.size() * sizeof(Column));
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it)
    if (lists_[it->second] == columns) return it->second;
  const auto id = static_cast<std::uint32_t>(lists_.size());
  lists_.push_back(std::move(columns));
  by_hash_.emplace(hash, id);
  return id;
}

const Supports::Union& Supports::unite(const std::vector<std::uint32_t>& ids) {
  if (ids == last_ids_ && !ids.empty()) return last_;
  std::vector<Column> columns;
  for (const auto id : ids) columns.insert(columns.end(), lists_[id].begin(), lists_[id].end());
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  last_.places.clear();
  for (const auto id : ids) {
    auto& places = last_.places.emplace_back();
    places.reserve(lists_[id].size());
    for (const auto c : lists_[id])
      places.push_back(
          static_cast<std::uint32_t>(std::lower_bound(columns.begin(), columns.end(), c) - columns.begin()));
  }
  last_.id = intern(std::move(columns));
  last_ids_ = ids;
  return last_;
}

Expression compose(const LinearMap& map, const Expression& in, const model::Shape& shape,
                   std::span<const double> bias, Supports& supports) {
  Expression out;
  out.shape = shape;
  const auto count = static_cast<std::size_t>(model::element_count(shape));
  out.rows.resize(count);
  out.bias.assign(bias.begin(), bias.end());
  out.bias.resize(count, 0.0);
  BlockStore store(out.weights);
  std::vector<std::uint32_t> ids, list_of_input;
  std::unordered_map<std::uint32_t, std::uint32_t> seen;
  std::vector<double> sums;
  std::vector<float> block;

  map([&](const LinearRows& rows) {
    ids.clear();
    seen.clear();
    list_of_input.resize(rows.inputs.size());
    for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
      const auto id = in.rows[rows.inputs[i]].support;
      const auto [it, fresh] = seen.try_emplace(id, static_cast<std::uint32_t>(ids.size()));
      if (fresh) ids.push_back(id);
      list_of_input[i] = it->second;
    }
    const auto& joined = supports.unite(ids);
    const std::size_t width = supports[joined.id].size();
    block.resize(rows.outputs.size() * width);
    for (std::size_t o = 0; o < rows.outputs.size(); ++o) {
      sums.assign(width, 0);
      const double* factor = rows.weights.data() + o * rows.inputs.size();
      double constant = 0;
      for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
        const auto& row = in.rows[rows.inputs[i]];
        const auto& places = joined.places[list_of_input[i]];
        const float* w = in.weights.data() + row.weights;
        for (std::size_t c = 0; c < places.size(); ++c)
          sums[places[c]] += factor[i] * static_cast<double>(w[c]);
        constant += factor[i] * in.bias[rows.inputs[i]];
      }
      out.bias[rows.outputs[o]] += constant;
      std::transform(sums.begin(), sums.end(), block.begin() + static_cast<std::ptrdiff_t>(o * width),
                     [](double x) { return static_cast<float>(x); });
    }
    const std::size_t offset = store.add(block);
    for (std::size_t o = 0; o < rows.outputs.size(); ++o)
      out.rows[rows.outputs[o]] = {joined.id, offset + o * width};
  });
  return out;
}

Expression concatenate(std::span<const Expression* const> parts, const model::Shape& shape) {
  Expression out;
  out.shape = shape;
  for (const auto* part : parts) {
    const std::size_t base = out.weights.size();
    for (const auto& row : part->rows) out.rows.push_back({row.support, row.weights + base});
    out.weights.insert(out.weights.end(), part->weights.begin(), part->weights.end());
    out.bias.insert(out.bias.end(), part->bias.begin(), part->bias.end());
  }
  return out;
}

}  // namespace velum::plan
