// Digit products over a slice: the columns of one limb that a worker holds in its cache, wherever the inputs
// come from and the results go.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/prepared_step.h"
#include "engine/slice_input.h"

namespace velum::engine {

// Input `index` of a step, as it is: its polynomials over the slice.
using Located = std::function<SliceInput(std::uint32_t index)>;
// Where polynomial p of a product's output goes, over the slice; outputs are numbered as its groups make
// them.
using Placed = std::function<u64*(std::size_t output, std::size_t p)>;

// The digits of inputs over a slice, pair by pair, for every polynomial.
class SlicePanel {
 public:
  // memory: for the residues of a pair, then the panel (plan::slice_bytes, plan::panel_bytes).
  SlicePanel(const PreparedStep& prepared, const ckks::Parameters& params, std::size_t columns, u64* memory);

  // Fills the panels of all polynomials for limb l.
  void fill(const GroupInputs& inputs, std::size_t l, const Located& located);

  const std::int16_t* panel(std::size_t p) const { return panel_ + p * poly_stride_; }
  std::size_t tile_stride() const { return tile_stride_; }
  std::size_t columns() const { return columns_; }
  int digits() const { return digits_; }

 private:
  const u64* zeros();

  const PreparedStep& prepared_;
  const ckks::Parameters& params_;
  std::size_t columns_;
  u64* computed_;  // [member][poly][column]
  std::int16_t* panel_;
  AlignedBuffer<u64> zeros_;
  int digits_ = 3;
  std::size_t pair_stride_ = 0, tile_stride_ = 0, poly_stride_ = 0;
};

// Whether results are read again soon, or may be stored past the caches (order_stores).
enum class Stores : std::uint8_t { far, near };

// Products of all groups whose panels are full.
void whole_product(const PreparedStep& prepared, const ckks::Parameters& params, const SlicePanel& panel,
                   const GroupInputs& inputs, std::span<const std::uint32_t> groups, std::size_t l,
                   const Placed& placed, Stores stores = Stores::far);

// A piece of a group that is cut by its inputs, as a group: its pairs' inputs, and its weights one after the
// other.
struct Chunk {
  GroupInputs inputs;
  std::vector<std::int16_t> weights;
};
std::vector<Chunk> cut_group(const plan::Step& step, const plan::Group& group,
                             std::span<const std::size_t> cuts);

// The product of a group in chunks, whose inputs are filled one chunk after the other. `sums` has room for
// the rows of all polynomials and of one more, over the slice.
void chunked_product(const PreparedStep& prepared, const ckks::Parameters& params, SlicePanel& panel,
                     const plan::Group& group, const std::vector<Chunk>& chunks, std::size_t l,
                     const Located& located, const Placed& placed, u64* sums);

}  // namespace velum::engine
