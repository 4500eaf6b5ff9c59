#include "engine/square_sums.h"

#include <algorithm>

#include "plan/schedule/memory.h"

namespace velum::engine {

namespace {

// A part, and how it is cut into slices.
struct Work {
  std::vector<ckks::ConstView> inputs;
  std::vector<ckks::View> places;
  std::vector<u64> bias;                                   // [limbs][sums], or nothing
  std::vector<std::uint32_t> begin{0}, subtracted, index;  // see kernels::SquareSums
  std::size_t columns = 0, first = 0;  // index of its first slice among all parts', of one limb
};

Work gather(const PreparedStep& prepared, const plan::Part& part, const ckks::Parameters& params,
            ValueStore& store, const std::function<ckks::View(std::uint32_t)>& output) {
  const auto& step = *prepared.step;
  Work w;
  const auto read = gather_inputs(step, part);
  std::vector<std::uint32_t> number(2 * step.pairs.size());  // among the part's inputs, by pair and member
  for (const auto p : read.pairs) {
    const auto& pair = step.pairs[p];
    for (const std::uint32_t member : {0u, 1u}) {
      const auto index = member == 0 ? pair.first : pair.second;
      if (index == plan::kAbsent) continue;
      number[2 * p + member] = static_cast<std::uint32_t>(w.inputs.size());
      w.inputs.push_back(store.element(prepared.inputs[index].value, prepared.inputs[index].element));
    }
  }
  for (const auto g : part) {
    const auto& group = step.groups[g];
    const auto* weights = step.weights.data() + group.weight_offset;
    for (const int sign : {1, -1}) {
      if (sign == -1) w.subtracted.push_back(static_cast<std::uint32_t>(w.index.size()));
      for (std::size_t k = 0; k < 2 * group.pairs.size(); ++k)
        if (weights[k] == sign) w.index.push_back(number[2 * group.pairs[k / 2] + k % 2]);
    }
    w.begin.push_back(static_cast<std::uint32_t>(w.index.size()));
    w.places.push_back(output(group.first_output));
  }
  if (!prepared.bias.empty())
    for (std::size_t l = 0; l < step.limbs; ++l)
      for (const auto g : part)
        w.bias.push_back(
            prepared.bias[l * (prepared.bias.size() / step.limbs) + step.groups[g].first_output]);
  w.columns = plan::square_sum_columns(w.inputs.size(), params.n());
  return w;
}

}  // namespace

void run_square_sums(const PreparedStep& prepared, std::span<const plan::Part> parts,
                     const ckks::Parameters& params, ValueStore& store, Workers& workers,
                     const std::function<ckks::View(std::uint32_t)>& output) {
  std::vector<Work> work;
  std::size_t slices = 0;
  for (const auto& part : parts) {
    work.push_back(gather(prepared, part, params, store, output));
    work.back().first = slices;
    slices += params.n() / work.back().columns;
  }
  struct Places {
    std::vector<const u64*> c0, c1;
    std::vector<u64*> out;
  };
  std::vector<Places> places(workers.count());
  workers.loop(prepared.step->limbs * slices, [&](std::size_t i, int worker) {
    const std::size_t l = i / slices, slice = i % slices;
    const auto next = std::upper_bound(work.begin(), work.end(), slice,
                                       [](std::size_t s, const Work& w) { return s < w.first; });
    const auto& w = *std::prev(next);
    const std::size_t column = (slice - w.first) * w.columns, count = w.places.size();
    auto& at = places[static_cast<std::size_t>(worker)];
    at.c0.clear(), at.c1.clear(), at.out.clear();
    for (const auto& v : w.inputs) {
      at.c0.push_back(v.limb(0, l) + column);
      at.c1.push_back(v.limb(1, l) + column);
    }
    for (const auto& v : w.places)
      for (std::size_t p = 0; p < 3; ++p) at.out.push_back(v.limb(p, l) + column);
    const kernels::SquareSums sums{.sums = count,
                                   .inputs = w.inputs.size(),
                                   .begin = w.begin.data(),
                                   .subtracted = w.subtracted.data(),
                                   .index = w.index.data()};
    kernels::table().sum_squares(at.out.data(), at.c0.data(), at.c1.data(), sums,
                                 w.bias.empty() ? nullptr : w.bias.data() + l * count, w.columns,
                                 params.ring().modulus(l));
  });
}

}  // namespace velum::engine
