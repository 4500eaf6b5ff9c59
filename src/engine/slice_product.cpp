#include "engine/slice_product.h"

#include <algorithm>
#include <numeric>

namespace velum::engine {

using kernels::kTile;

namespace {

kernels::DigitGroup digit_group(const plan::Group& g, const kernels::Modulus& m) {
  kernels::DigitGroup d;
  d.rows = g.rows;
  d.run_pairs = g.run_pairs;
  // |sum| <= L1 * q/2 must stay below 2^63.
  d.reduce_each_run = static_cast<double>(g.row_l1) * static_cast<double>(m.q) >= 0x1p64;
  return d;
}

const u64* bias_of(const PreparedStep& prepared, const plan::Group& g, std::size_t p, std::size_t l) {
  if (p != 0 || prepared.bias.empty()) return nullptr;  // by block: added afterwards
  return prepared.bias.data() + l * (prepared.bias.size() / prepared.step->limbs) + g.first_output;
}

}  // namespace

SlicePanel::SlicePanel(const PreparedStep& prepared, const ckks::Parameters& params, std::size_t columns,
                       u64* memory)
    : prepared_(prepared),
      params_(params),
      columns_(columns),
      computed_(memory),
      panel_(reinterpret_cast<std::int16_t*>(memory + 2 * kMaxPolys * columns)) {}

void SlicePanel::fill(const GroupInputs& inputs, std::size_t l, const Located& located) {
  const auto& m = params_.ring().modulus(l);
  digits_ = kernels::digit_count(m.q);
  pair_stride_ = static_cast<std::size_t>(digits_) * 2 * kTile;
  tile_stride_ = inputs.pairs.size() * pair_stride_;
  poly_stride_ = tile_stride_ * (columns_ / kTile);
  const auto& table = kernels::table();
  const auto load = [&](std::uint32_t index, std::size_t member) {
    return derive_slice(prepared_, params_, index, located(index), l, columns_,
                        computed_ + member * kMaxPolys * columns_);
  };
  for (std::size_t k = 0; k < inputs.pairs.size(); ++k) {
    const auto& pair = prepared_.step->pairs[inputs.pairs[k]];
    const auto a = load(pair.first, 0);
    const bool alone = pair.second == plan::kAbsent;
    const auto b = alone ? SliceInput{} : load(pair.second, 1);
    for (std::size_t p = 0; p < prepared_.step->polys; ++p) {
      auto* place = panel_ + p * poly_stride_ + k * pair_stride_;
      if (!a.poly[p] && !b.poly[p]) {  // plain sources of two polynomials have no third
        for (std::size_t t = 0; t < columns_ / kTile; ++t)
          std::fill_n(place + t * tile_stride_, pair_stride_, std::int16_t{0});
      } else {
        table.split_pair(place, tile_stride_, a.poly[p] ? a.poly[p] : zeros(), b.poly[p], columns_, digits_,
                         m);
      }
    }
  }
}

const u64* SlicePanel::zeros() {
  if (zeros_.empty()) zeros_ = AlignedBuffer<u64>::zeroed(columns_);
  return zeros_.data();
}

void whole_product(const PreparedStep& prepared, const ckks::Parameters& params, const SlicePanel& panel,
                   const GroupInputs& inputs, std::span<const std::uint32_t> groups, std::size_t l,
                   const Placed& placed, Stores stores) {
  const auto& step = *prepared.step;
  const auto& m = params.ring().modulus(l);
  std::vector<u64*> places;
  for (std::size_t p = 0; p < step.polys; ++p) {
    std::size_t output = 0;
    for (std::size_t k = 0; k < groups.size(); ++k) {
      const auto& g = step.groups[groups[k]];
      places.clear();
      for (std::uint32_t r = 0; r < g.rows; ++r) places.push_back(placed(output++, p));
      auto d = digit_group(g, m);
      d.pairs = g.pairs.size();
      d.pair_slots = inputs.slots.data() + inputs.slot_begin[k];
      d.weights = step.weights.data() + g.weight_offset;
      d.keep_near = stores == Stores::near;
      kernels::table().digit_product(places.data(), panel.panel(p), panel.tile_stride(),
                                     panel.columns() / kTile, panel.digits(), d, bias_of(prepared, g, p, l),
                                     m);
    }
  }
}

std::vector<Chunk> cut_group(const plan::Step& step, const plan::Group& group,
                             std::span<const std::size_t> cuts) {
  std::vector<Chunk> chunks(cuts.size() - 1);
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    const std::size_t begin = cuts[c], count = cuts[c + 1] - begin;
    auto& chunk = chunks[c];
    chunk.inputs.pairs.assign(group.pairs.begin() + static_cast<std::ptrdiff_t>(begin),
                              group.pairs.begin() + static_cast<std::ptrdiff_t>(begin + count));
    chunk.inputs.slots.resize(count);
    std::iota(chunk.inputs.slots.begin(), chunk.inputs.slots.end(), 0u);
    chunk.inputs.slot_begin = {0};
    for (std::size_t b = 0; b < kernels::row_block_count(group.rows); ++b) {
      const auto rows = kernels::row_block(group.rows, b);
      const std::size_t height = rows.end - rows.begin;
      const auto* first =
          step.weights.data() + group.weight_offset + (rows.begin * group.pairs.size() + begin * height) * 2;
      chunk.weights.insert(chunk.weights.end(), first, first + count * height * 2);
    }
  }
  return chunks;
}

void chunked_product(const PreparedStep& prepared, const ckks::Parameters& params, SlicePanel& panel,
                     const plan::Group& group, const std::vector<Chunk>& chunks, std::size_t l,
                     const Located& located, const Placed& placed, u64* sums) {
  const auto& m = params.ring().modulus(l);
  const std::size_t columns = panel.columns(), polys = prepared.step->polys;
  u64* fresh = sums + polys * group.rows * columns;
  std::vector<u64*> places(group.rows);
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    panel.fill(chunks[c].inputs, l, located);
    const bool last = c + 1 == chunks.size();
    for (std::size_t p = 0; p < polys; ++p) {
      u64* sum = sums + p * group.rows * columns;
      for (std::size_t r = 0; r < group.rows; ++r) places[r] = (c == 0 ? sum : fresh) + r * columns;
      if (c == 0 && last)
        for (std::size_t r = 0; r < group.rows; ++r) places[r] = placed(r, p);
      auto d = digit_group(group, m);
      d.pairs = chunks[c].inputs.pairs.size();
      d.pair_slots = chunks[c].inputs.slots.data();
      d.weights = chunks[c].weights.data();
      d.keep_near = !(c == 0 && last);
      kernels::table().digit_product(places.data(), panel.panel(p), panel.tile_stride(), columns / kTile,
                                     panel.digits(), d, c == 0 ? bias_of(prepared, group, p, l) : nullptr, m);
      if (c == 0) continue;
      for (std::size_t r = 0; r < group.rows; ++r)
        kernels::table().add(last ? placed(r, p) : sum + r * columns, sum + r * columns, fresh + r * columns,
                             columns, m);
    }
  }
}

}  // namespace velum::engine
