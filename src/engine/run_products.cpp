#include "engine/run_products.h"

#include <algorithm>

#include "base/parallel.h"
#include "engine/run_weights.h"
#include "engine/slice_input.h"
#include "plan/schedule/run_products.h"

namespace velum::engine {

namespace {

constexpr std::size_t kLeastColumns = 256;
constexpr std::size_t kCachedInputs = 512 << 10;  // bytes: half of a core's second cache

// Some rows of a group.
struct Unit {
  std::uint32_t group;
  kernels::RowBlock rows;
};

// One unit at one limb, over some of the columns.
class UnitRun {
 public:
  // `memory`: plan::run_product_words of the unit's group.
  UnitRun(const PreparedStep& prepared, const ckks::Parameters& params, ValueStore& store, const Unit& unit,
          std::size_t limb, u64* memory)
      : prepared_(prepared),
        params_(params),
        group_(prepared.step->groups[unit.group]),
        rows_(unit.rows),
        height_(unit.rows.end - unit.rows.begin),
        inputs_(group_.periodic_inputs.size()),
        limb_(limb),
        run_columns_(params.n() / prepared.blocks),
        polys_(prepared.step->polys) {
    for (const auto index : group_.periodic_inputs)
      views_.push_back(store.element(prepared.inputs[index].value, prepared.inputs[index].element));
    if (inputs_ == 0) return;
    slicing_ = plan::slice_runs(inputs_, height_, polys_, prepared.blocks, params.n());
    if (!prepared.kept.begin.empty())
      kept_ = prepared.kept.residues.data() + prepared.kept.begin[unit.group] +
              inputs_ * prepared.blocks * (limb * group_.rows + rows_.begin);
    weights_ = memory;
    scratch_ = weights_ + slicing_.inputs * height_ * prepared.blocks;
    computed_ = scratch_ + plan::run_transform_words(prepared.blocks);
    zeros_ = computed_ + slicing_.inputs * polys_ * slicing_.columns;
    std::fill_n(zeros_, slicing_.columns, u64{0});
  }

  void run(const std::vector<ckks::View>& out, std::size_t begin, std::size_t end) {
    bool written = !group_.pairs.empty();
    for (std::size_t k = 0; k < inputs_; k += slicing_.inputs) {
      const std::size_t count = std::min(slicing_.inputs, inputs_ - k);
      const u64* weights = kept_ ? kept_ + k * height_ * prepared_.blocks : weights_;
      if (!kept_)
        transform_weights(weights_, prepared_, group_, k, count, rows_, params_.ring(), limb_, scratch_);
      for (std::size_t column = begin; column < end; column += slicing_.columns)
        slice(out, weights, k, count, column, std::min(slicing_.columns, end - column), written);
      written = true;
    }
    add_bias(out, begin, end);
  }

 private:
  void slice(const std::vector<ckks::View>& out, const u64* weights, std::size_t first, std::size_t count,
             std::size_t column, std::size_t columns, bool accumulate) {
    loaded_.resize(count), x_.resize(count), rows_out_.resize(height_);
    for (std::size_t k = 0; k < count; ++k)
      loaded_[k] = squared_slice(prepared_, params_, group_.periodic_inputs[first + k],
                                 slice_of(views_[first + k], limb_, column), limb_, columns,
                                 computed_ + k * polys_ * slicing_.columns);
    const std::size_t width = std::min(run_columns_, columns);
    for (std::size_t p = 0; p < polys_; ++p) {
      for (std::size_t r = 0; r < height_; ++r) rows_out_[r] = out[r].limb(p, limb_) + column;
      bool any = false;
      for (std::size_t k = 0; k < count; ++k) {
        any |= loaded_[k].poly[p] != nullptr;
        x_[k] = loaded_[k].poly[p] ? loaded_[k].poly[p] : zeros_;  // plain sources have no third
      }
      if (!any) {
        for (std::size_t r = 0; r < height_ && !accumulate; ++r) std::fill_n(rows_out_[r], columns, u64{0});
        continue;
      }
      for (std::size_t at = 0; at < columns; at += width) {
        const auto* matrix = weights + (column + at) / run_columns_ * height_ * count;
        kernels::table().run_product(rows_out_.data(), x_.data(), {height_, count, matrix}, at, width,
                                     accumulate, params_.ring().modulus(limb_));
      }
    }
  }

  // A bias that is the same in all blocks is added with the pairs, where there are any.
  void add_bias(const std::vector<ckks::View>& out, std::size_t begin, std::size_t end) const {
    const auto& k = kernels::table();
    const auto& m = params_.ring().modulus(limb_);
    for (std::size_t r = 0; r < height_; ++r) {
      u64* x = out[r].limb(0, limb_) + begin;
      const std::size_t output = group_.first_output + rows_.begin + r;
      if (!prepared_.block_bias.empty()) {
        const std::size_t blocks = prepared_.blocks;
        const std::size_t outputs = prepared_.block_bias.size() / (prepared_.step->limbs * blocks);
        const u64* bias =
            prepared_.block_bias.data() + (limb_ * outputs + output) * blocks + begin / run_columns_;
        if (end - begin >= run_columns_)
          k.add_runs(x, x, bias, (end - begin) / run_columns_, end - begin, m);
        else
          k.add_scalar(x, x, *bias, end - begin, m);
      } else if (!prepared_.bias.empty() && group_.pairs.empty()) {
        const std::size_t outputs = prepared_.bias.size() / prepared_.step->limbs;
        k.add_scalar(x, x, prepared_.bias[limb_ * outputs + output], end - begin, m);
      }
    }
  }

  const PreparedStep& prepared_;
  const ckks::Parameters& params_;
  const plan::Group& group_;
  kernels::RowBlock rows_;
  std::size_t height_, inputs_, limb_, run_columns_, polys_;
  plan::RunSlicing slicing_;
  std::vector<ckks::ConstView> views_;
  const u64* kept_ = nullptr;
  u64 *weights_ = nullptr, *scratch_ = nullptr, *computed_ = nullptr, *zeros_ = nullptr;
  std::vector<SliceInput> loaded_;
  std::vector<const u64*> x_;
  std::vector<u64*> rows_out_;
};

}  // namespace

bool has_run_products(const PreparedStep& prepared, const plan::Part& groups) {
  return !prepared.block_bias.empty() || std::any_of(groups.begin(), groups.end(), [&](auto g) {
    return !prepared.step->groups[g].periodic_inputs.empty();
  });
}

void run_products(const PreparedStep& prepared, const plan::Part& groups, const ckks::Parameters& params,
                  ValueStore& store, Workers& workers,
                  const std::function<ckks::View(std::uint32_t)>& output) {
  const auto& step = *prepared.step;
  std::vector<Unit> units;
  for (const auto g : groups) {
    const auto& group = step.groups[g];
    if (group.periodic_inputs.empty() && prepared.block_bias.empty()) continue;
    for (std::size_t b = 0; b < plan::run_row_blocks(group.rows); ++b)
      units.push_back({g, plan::run_row_block(group.rows, b)});
  }
  // Columns are shared out where there are few units, so that every thread has some; weights that are not
  // kept are then transformed once for each share.
  const bool kept = !prepared.kept.begin.empty();
  std::size_t shares = 1;
  const auto may_share = [&] { return params.n() / (2 * shares) >= kLeastColumns; };
  const std::size_t wanted = (kept ? 4 : 2) * workers.count();
  while (step.limbs * units.size() * shares < wanted && may_share()) shares *= 2;
  // Units read the same inputs, mostly: those of one share stay in the cache for all of them.
  std::size_t most = 0;
  for (const auto& u : units) most = std::max(most, step.groups[u.group].periodic_inputs.size());
  if (kept && units.size() > 1)
    while (most * step.polys * params.n() / shares * sizeof(u64) > kCachedInputs && may_share()) shares *= 2;
  const std::size_t columns = params.n() / shares;
  workers.loop(step.limbs * units.size() * shares, [&](std::size_t i, int worker) {
    const auto& unit = units[i % units.size()];
    const std::size_t share = i / units.size() % shares, limb = i / units.size() / shares;
    std::vector<ckks::View> out;
    for (auto r = unit.rows.begin; r < unit.rows.end; ++r)
      out.push_back(output(step.groups[unit.group].first_output + static_cast<std::uint32_t>(r)));
    u64* memory = workers.take(
        worker, plan::run_product_words(step, unit.group, unit.group + 1, prepared.blocks, params.n()));
    UnitRun(prepared, params, store, unit, limb, memory).run(out, share * columns, (share + 1) * columns);
  });
}

}  // namespace velum::engine
