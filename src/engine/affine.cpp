#include "engine/affine.h"

#include <array>
#include <atomic>

#include "base/parallel.h"
#include "plan/memory.h"
#include "plan/parts.h"

namespace velum::engine {

namespace {

using kernels::kTile;

constexpr std::size_t kMaxPolys = 3;

// The residues of one input over a slice: up to three polynomials, either views of the value or computed
// here.
struct SliceInput {
  std::array<const u64*, kMaxPolys> poly{};
};

class SliceWorker {
 public:
  SliceWorker(const PreparedStep& prepared, const ckks::Parameters& params,
              std::span<const ckks::ConstView> views, std::size_t columns, std::uint64_t panel_bytes)
      : prepared_(prepared),
        params_(params),
        views_(views),
        columns_(columns),
        panel_(panel_bytes / sizeof(std::int16_t)),
        computed_(2 * kMaxPolys * columns) {}

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
        auto* place = panel_.data() + p * poly_stride_ + k * pair_stride_;
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

  const std::int16_t* panel(std::size_t p) const { return panel_.data() + p * poly_stride_; }
  std::size_t tile_stride() const { return tile_stride_; }
  int digits() const { return digits_; }

 private:
  SliceInput load(std::uint32_t index, std::size_t member, std::size_t l, std::size_t column) {
    const auto& in = prepared_.inputs[index];
    const auto& v = views_[index];
    const auto& m = params_.ring().modulus(l);
    u64* own = computed_.data() + member * kMaxPolys * columns_;
    SliceInput s;
    if (in.kind == plan::SourceKind::square) {
      kernels::table().square_terms(own, own + columns_, own + 2 * columns_, v.limb(0, l) + column,
                                    v.limb(1, l) + column, columns_, m);
      for (std::size_t p = 0; p < kMaxPolys; ++p) s.poly[p] = own + p * columns_;
      return s;
    }
    const bool lifted = prepared_.step->sources[in.source].lift != 1;
    const auto& factor = prepared_.lift[in.source * prepared_.step->limbs + l];
    for (std::size_t p = 0; p < v.polys; ++p) {
      s.poly[p] = v.limb(p, l) + column;
      if (!lifted) continue;
      kernels::table().multiply_scalar(own + p * columns_, s.poly[p], factor, columns_, m);
      s.poly[p] = own + p * columns_;
    }
    return s;
  }

  const u64* zeros() {
    if (zeros_.empty()) zeros_ = AlignedBuffer<u64>::zeroed(columns_);
    return zeros_.data();
  }

  const PreparedStep& prepared_;
  const ckks::Parameters& params_;
  std::span<const ckks::ConstView> views_;
  std::size_t columns_;
  AlignedBuffer<std::int16_t> panel_;
  AlignedBuffer<u64> computed_, zeros_;
  int digits_ = 3;
  std::size_t pair_stride_ = 0, tile_stride_ = 0, poly_stride_ = 0;
};

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

// The groups of one part, slice by slice. out: by output of the step, from `first` on.
void run_part(const PreparedStep& prepared, std::span<const std::uint32_t> groups,
              const ckks::Parameters& params, ValueStore& store, const std::vector<ckks::View>& out,
              std::uint32_t first) {
  const auto& step = *prepared.step;
  const auto& ring = params.ring();
  const auto inputs = gather_inputs(step, groups);
  const auto views = input_views(prepared, inputs, store);
  std::size_t most_rows = 0;
  for (const auto g : groups) most_rows = std::max<std::size_t>(most_rows, step.groups[g].rows);

  const std::size_t total_outputs = prepared.bias.empty() ? 0 : prepared.bias.size() / step.limbs;
  const std::size_t columns = plan::panel_columns(inputs.pairs.size(), step.polys, params.n());
  const auto panel_bytes = plan::panel_bytes(inputs.pairs.size(), step.polys, columns);
  const std::size_t slices = params.n() / columns;
  std::vector<std::unique_ptr<SliceWorker>> workers(static_cast<std::size_t>(threads()));
  std::vector<std::vector<u64*>> places(workers.size());

  parallel_for(step.limbs * slices, [&](std::size_t i, int w) {
    const auto worker_index = static_cast<std::size_t>(w);
    auto& worker = workers[worker_index];
    if (!worker) {
      worker = std::make_unique<SliceWorker>(prepared, params, views, columns, panel_bytes);
      places[worker_index].resize(most_rows);
    }
    auto& place = places[worker_index];
    const std::size_t l = i / slices, column = i % slices * columns;
    const auto& m = ring.modulus(l);
    worker->fill(inputs, l, column);
    for (std::size_t p = 0; p < step.polys; ++p) {
      for (std::size_t k = 0; k < groups.size(); ++k) {
        const auto& group = step.groups[groups[k]];
        for (std::size_t r = 0; r < group.rows; ++r)
          place[r] = out[group.first_output - first + r].limb(p, l) + column;
        kernels::DigitGroup d;
        d.rows = group.rows;
        d.pairs = group.pairs.size();
        d.pair_slots = inputs.slots.data() + inputs.slot_begin[k];
        d.weights = step.weights.data() + group.weight_offset;
        d.run_pairs = group.run_pairs;
        // |sum| <= L1 * q/2 must stay below 2^63.
        d.reduce_each_run = static_cast<double>(group.row_l1) * static_cast<double>(m.q) >= 0x1p64;
        const u64* bias =
            p == 0 && total_outputs ? prepared.bias.data() + l * total_outputs + group.first_output : nullptr;
        kernels::table().digit_product(place.data(), worker->panel(p), worker->tile_stride(), columns / kTile,
                                       worker->digits(), d, bias, m);
      }
    }
    // The product may write past the caches: other threads see such stores in order after a fence only.
    std::atomic_thread_fence(std::memory_order_seq_cst);
  });
}

}  // namespace

void run_affine(const PreparedStep& prepared, const plan::Task& task, const ckks::Parameters& params,
                ValueStore& store, const std::function<ckks::View(std::uint32_t)>& output) {
  const auto& step = *prepared.step;
  const auto first = step.groups[task.group_begin].first_output;
  const auto& last_group = step.groups[task.group_end - 1];
  std::vector<ckks::View> out(last_group.first_output + last_group.rows - first);
  for (std::size_t o = 0; o < out.size(); ++o) out[o] = output(first + static_cast<std::uint32_t>(o));
  for (const auto& part : plan::independent_parts(step, task, params.n()))
    run_part(prepared, part, params, store, out, first);
}

}  // namespace velum::engine
