// Affine expressions: every tensor of the network, element by element, as a sparse combination of columns
// plus a constant. A column is one element of a materialised vector, plain or squared.
//
// Rows are stored compactly: all outputs of one position of a convolution read the same columns, so lists of
// columns are kept once (Supports), and equal blocks of weights are kept once (Expression::weights).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/graph.h"
#include "plan/plan.h"

namespace velum::plan {

using Column = std::uint32_t;

// The columns of one source: elements 0..count-1 of a vector, rotated by `shift` slots.
struct ColumnRange {
  std::uint32_t vector = 0;
  SourceKind kind = SourceKind::plain;
  Column first = 0;
  std::uint32_t count = 0;
  std::int32_t shift = 0;
};

class ColumnTable {
 public:
  // The range of this source, added at the end if it is new.
  const ColumnRange& range(std::uint32_t vector, SourceKind kind, std::uint32_t count,
                           std::int32_t shift = 0);
  std::size_t index_of(Column c) const;  // into ranges()
  const std::vector<ColumnRange>& ranges() const { return ranges_; }

 private:
  std::vector<ColumnRange> ranges_;  // in order of `first`
};

// Finds the ranges of columns one after the other: fast where most lie in the range of the one before.
class RangeFinder {
 public:
  explicit RangeFinder(const ColumnTable& columns) : columns_(columns) {}
  std::size_t index_of(Column c) {
    if (c - first_ >= count_) {  // unsigned: also where c is smaller
      index_ = columns_.index_of(c);
      first_ = columns_.ranges()[index_].first;
      count_ = columns_.ranges()[index_].count;
    }
    return index_;
  }
  const ColumnRange& range_of(Column c) { return columns_.ranges()[index_of(c)]; }

 private:
  const ColumnTable& columns_;
  std::size_t index_ = 0;
  Column first_ = 0, count_ = 0;
};

// Ascending lists of columns, each kept once. Number 0 is the empty list.
class Supports {
 public:
  Supports() { intern({}); }
  std::uint32_t intern(std::vector<Column> columns);  // ascending, without repeats
  std::span<const Column> operator[](std::uint32_t id) const { return lists_[id]; }

  // The union of several lists, and where each of them lies in it. Valid until the next call.
  struct Union {
    std::uint32_t id = 0;
    std::vector<std::vector<std::uint32_t>> places;  // [list][index] -> index in the union
  };
  const Union& unite(const std::vector<std::uint32_t>& ids);

 private:
  std::vector<std::vector<Column>> lists_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_hash_;
  std::vector<std::uint32_t> last_ids_;
  Union last_;
};

struct Row {
  std::uint32_t support = 0;
  std::size_t weights = 0;  // offset: as many weights as the support has columns
};

struct Expression {
  model::Shape shape;
  std::vector<Row> rows;  // by element, row-major
  std::vector<float> weights;
  std::vector<double> bias;
};

// Outputs of a linear map that read the same inputs; elements are row-major positions.
struct LinearRows {
  std::vector<std::uint32_t> inputs, outputs;
  std::vector<double> weights;  // [outputs][inputs]
};
using LinearMap = std::function<void(const std::function<void(const LinearRows&)>&)>;

// map applied to an expression, plus `bias` by output ([] for none). Outputs that the map leaves out are
// zero.
Expression compose(const LinearMap& map, const Expression& in, const model::Shape& shape,
                   std::span<const double> bias, Supports& supports);

// Several expressions as one, elements one after the other.
Expression concatenate(std::span<const Expression* const> parts, const model::Shape& shape);

}  // namespace velum::plan
