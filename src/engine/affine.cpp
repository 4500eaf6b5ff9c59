#include "engine/affine.h"

#include <algorithm>
#include <memory>

#include "engine/slice_product.h"
#include "engine/stores.h"
#include "plan/schedule/memory.h"
#include "plan/schedule/parts.h"

namespace velum::engine {

namespace {

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
  std::vector<ckks::View> out;  // of all groups, one after the other
  for (const auto g : groups)
    for (std::uint32_t r = 0; r < step.groups[g].rows; ++r)
      out.push_back(output(step.groups[g].first_output + r));
  const auto& first = step.groups[groups[0]];
  const auto chunks = slicing.chunked() ? cut_group(step, first, slicing.cuts) : std::vector<Chunk>{};

  const std::size_t slices = params.n() / slicing.columns;
  std::vector<std::unique_ptr<SlicePanel>> panels(workers.count());
  workers.loop(step.limbs * slices, [&](std::size_t i, int w) {
    auto& panel = panels[static_cast<std::size_t>(w)];
    // The sums of chunks before the panel.
    const std::size_t rows = chunks.empty() ? 0 : first.rows * slicing.columns;
    auto* own = workers.take(w, words);
    if (!panel)
      panel = std::make_unique<SlicePanel>(prepared, params, slicing.columns, own + (step.polys + 1) * rows);
    const std::size_t l = i / slices, column = i % slices * slicing.columns;
    const auto located = [&](std::uint32_t index) { return slice_of(views[index], l, column); };
    const auto placed = [&](std::size_t o, std::size_t p) { return out[o].limb(p, l) + column; };
    if (chunks.empty()) {
      panel->fill(inputs, l, located);
      whole_product(prepared, params, *panel, inputs, groups, l, placed);
    } else {
      chunked_product(prepared, params, *panel, first, chunks, l, located, placed, own);
    }
    order_stores();
  });
}

}  // namespace velum::engine
