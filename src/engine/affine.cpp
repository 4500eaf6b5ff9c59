#include "engine/affine.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>

#include "engine/slice_input.h"
#include "plan/schedule/memory.h"
#include "plan/schedule/parts.h"

namespace velum::engine {

namespace {

using kernels::kTile;

class SliceWorker {
 public:
  // memory: for the residues of a pair, then the panel (plan::slice_words).
  SliceWorker(const PreparedStep& prepared, const ckks::Parameters& params,
              std::span<const ckks::ConstView> views, std::size_t columns, u64* memory)
      : prepared_(prepared),
        params_(params),
        views_(views),
        columns_(columns),
        computed_(memory),
        panel_(reinterpret_cast<std::int16_t*>(memory + 2 * kMaxPolys * columns)) {}

  // Fills the panels of every polynomial for limb l, columns [column, column + columns).
  void fill(const GroupInputs& inputs, std::size_t l, std::size_t column) {
    const auto& m = params_.ring().modulus(l);
    digits_ = kernels::digit_count(m.q);
    pair_stride_ = static_cast<std::size_t>(digits_) * 2 * kTile;
    tile_stride_ = inputs.pairs.size() * pair_stride_;
    poly_stride_ = tile_stride_ * (columns_ / kTile);
    const auto& table = kernels::table();
    for (std::size_t k = 0; k < inputs.pairs.size(); ++k) {
      const auto& pair = prepared_.step->pairs[inputs.pairs[k]];
      const auto a = load(pair.first, 0, l, column);
      const bool alone = pair.second == plan::kAbsent;
      const auto b = alone ? SliceInput{} : load(pair.second, 1, l, column);
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

  const std::int16_t* panel(std::size_t p) const { return panel_ + p * poly_stride_; }
  std::size_t tile_stride() const { return tile_stride_; }
  int digits() const { return digits_; }

 private:
  SliceInput load(std::uint32_t index, std::size_t member, std::size_t l, std::size_t column) {
    return load_slice(prepared_, params_, index, views_[index], l, column, columns_,
                      computed_ + member * kMaxPolys * columns_);
  }

  const u64* zeros() {
    if (zeros_.empty()) zeros_ = AlignedBuffer<u64>::zeroed(columns_);
    return zeros_.data();
  }

  const PreparedStep& prepared_;
  const ckks::Parameters& params_;
  std::span<const ckks::ConstView> views_;
  std::size_t columns_;
  u64* computed_;  // [member][poly][column]
  std::int16_t* panel_;
  AlignedBuffer<u64> zeros_;
  int digits_ = 3;
  std::size_t pair_stride_ = 0, tile_stride_ = 0, poly_stride_ = 0;
};

// The product may write past the caches: other threads see such stores in order after a fence only. g++
// refuses fences under the thread sanitizer, where the loop's own counter has to do.
void order_stores() {
#ifndef __SANITIZE_THREAD__
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

// The ciphertexts of the inputs that a task reads, by input index; the others stay empty.
std::vector<ckks::ConstView> input_views(const PreparedStep& prepared, const GroupInputs& inputs,
                                         ValueStore& store) {
  std::vector<ckks::ConstView> views(prepared.inputs.size());
  const auto find = [&](std::uint32_t index) {
    views[index] = store.element(prepared.inputs[index].value, prepared.inputs[index].element);
  };
  for (const auto p : inputs.pairs) {
    const auto& pair = prepared.step->pairs[p];
    find(pair.first);
    if (pair.second != plan::kAbsent) find(pair.second);
  }
  return views;
}

}  // namespace

namespace {

// Chunk c of a group that is a part of its own, as a group: its pairs' inputs, and its weights one after the
// other.
struct Chunk {
  GroupInputs inputs;
  std::vector<std::int16_t> weights;
};
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

// The part as it is given to the kernels.
struct PartProduct {
  const PreparedStep& prepared;
  const ckks::Parameters& params;
  std::vector<ckks::View> out;  // of all groups, one after the other
  std::size_t columns;

  kernels::DigitGroup group(const plan::Group& g, std::size_t l) const {
    kernels::DigitGroup d;
    d.rows = g.rows;
    d.run_pairs = g.run_pairs;
    // |sum| <= L1 * q/2 must stay below 2^63.
    d.reduce_each_run = static_cast<double>(g.row_l1) * static_cast<double>(params.ring().q(l)) >= 0x1p64;
    return d;
  }
  const u64* bias(const plan::Group& g, std::size_t p, std::size_t l) const {
    if (p != 0 || prepared.bias.empty()) return nullptr;  // by block: added afterwards
    return prepared.bias.data() + l * (prepared.bias.size() / prepared.step->limbs) + g.first_output;
  }

  // All groups of a slice whose panels are full.
  void whole(const SliceWorker& worker, const GroupInputs& inputs, std::span<const std::uint32_t> groups,
             std::size_t l, std::size_t column, std::vector<u64*>& places) const {
    const auto& step = *prepared.step;
    for (std::size_t p = 0; p < step.polys; ++p) {
      for (std::size_t o = 0; o < out.size(); ++o) places[o] = out[o].limb(p, l) + column;
      auto* place = places.data();
      for (std::size_t k = 0; k < groups.size(); ++k) {
        const auto& g = step.groups[groups[k]];
        auto d = group(g, l);
        d.pairs = g.pairs.size();
        d.pair_slots = inputs.slots.data() + inputs.slot_begin[k];
        d.weights = step.weights.data() + g.weight_offset;
        kernels::table().digit_product(place, worker.panel(p), worker.tile_stride(), columns / kTile,
                                       worker.digits(), d, bias(g, p, l), params.ring().modulus(l));
        place += g.rows;
      }
    }
  }

  // One chunk of the only group: added to `sums` ([poly][row][column]), the last to the outputs. `fresh` has
  // room for the rows of one polynomial.
  void chunk(const SliceWorker& worker, const plan::Group& g, const std::vector<Chunk>& chunks, std::size_t c,
             std::size_t l, std::size_t column, std::vector<u64*>& places, u64* sums, u64* fresh) const {
    const auto& m = params.ring().modulus(l);
    for (std::size_t p = 0; p < prepared.step->polys; ++p) {
      u64* sum = sums + p * g.rows * columns;
      for (std::size_t r = 0; r < g.rows; ++r) places[r] = (c == 0 ? sum : fresh) + r * columns;
      auto d = group(g, l);
      d.pairs = chunks[c].inputs.pairs.size();
      d.pair_slots = chunks[c].inputs.slots.data();
      d.weights = chunks[c].weights.data();
      d.keep_near = true;
      kernels::table().digit_product(places.data(), worker.panel(p), worker.tile_stride(), columns / kTile,
                                     worker.digits(), d, c == 0 ? bias(g, p, l) : nullptr, m);
      if (c == 0) continue;
      const bool last = c + 1 == chunks.size();
      for (std::size_t r = 0; r < g.rows; ++r)
        kernels::table().add(last ? out[r].limb(p, l) + column : sum + r * columns, sum + r * columns,
                             fresh + r * columns, columns, m);
    }
  }
};

}  // namespace

void run_affine(const PreparedStep& prepared, const plan::Part& all, const ckks::Parameters& params,
                ValueStore& store, Workers& workers, const std::function<ckks::View(std::uint32_t)>& output) {
  const auto& step = *prepared.step;
  plan::Part groups;
  std::copy_if(all.begin(), all.end(), std::back_inserter(groups),
               [&](auto g) { return !step.groups[g].pairs.empty(); });
  if (groups.empty()) return;
  const auto inputs = gather_inputs(step, groups);
  const auto views = input_views(prepared, inputs, store);
  const auto slicing = plan::slice_part(step, groups, inputs.pairs.size(), params.n());
  const auto words = plan::slice_words(step, groups, inputs.pairs.size(), params.n());
  PartProduct part{prepared, params, {}, slicing.columns};
  for (const auto g : groups)
    for (std::uint32_t r = 0; r < step.groups[g].rows; ++r)
      part.out.push_back(output(step.groups[g].first_output + r));
  const auto& first = step.groups[groups[0]];
  const auto chunks = slicing.chunked() ? cut_group(step, first, slicing.cuts) : std::vector<Chunk>{};

  const std::size_t slices = params.n() / slicing.columns;
  std::vector<std::unique_ptr<SliceWorker>> fillers(workers.count());
  std::vector<std::vector<u64*>> places(workers.count());
  workers.loop(step.limbs * slices, [&](std::size_t i, int w) {
    auto& worker = fillers[static_cast<std::size_t>(w)];
    auto& place = places[static_cast<std::size_t>(w)];
    // The sums of chunks before the panel.
    const std::size_t rows = chunks.empty() ? 0 : first.rows * slicing.columns;
    auto* own = workers.take(w, words);
    if (!worker) {
      worker = std::make_unique<SliceWorker>(prepared, params, views, slicing.columns,
                                             own + (step.polys + 1) * rows);
      place.resize(part.out.size());
    }
    const std::size_t l = i / slices, column = i % slices * slicing.columns;
    if (chunks.empty()) {
      worker->fill(inputs, l, column);
      part.whole(*worker, inputs, groups, l, column, place);
    }
    for (std::size_t c = 0; c < chunks.size(); ++c) {
      worker->fill(chunks[c].inputs, l, column);
      part.chunk(*worker, first, chunks, c, l, column, place, own, own + step.polys * rows);
    }
    order_stores();
  });
}

}  // namespace velum::engine
