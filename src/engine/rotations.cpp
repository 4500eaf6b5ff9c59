#include "engine/rotations.h"

#include "base/error.h"

namespace velum::engine {

namespace {

// The outputs of one input.
struct Bundle {
  std::uint32_t begin, end;
};

std::vector<Bundle> bundles(const PreparedStep& prepared, std::uint32_t begin, std::uint32_t end) {
  std::vector<Bundle> all;
  for (auto o = begin; o < end; ++o) {
    const auto& in = prepared.inputs[o];
    const bool same = !all.empty() && prepared.inputs[o - 1].value == in.value &&
                      prepared.inputs[o - 1].element == in.element;
    if (!same) all.push_back({o, o});
    all.back().end = o + 1;
  }
  return all;
}

}  // namespace

Rotations::Rotations(const plan::ServerPlan& plan, const ckks::Parameters& params,
                     const ckks::EvaluationKeys& keys) {
  for (const auto& step : plan.steps)
    for (const auto shift : step.shifts) {
      const auto* key = ckks::rotation_key(keys, shift, params);
      if (!key || key->limbs < step.limbs)
        fail_user(
            "the evaluation keys hold {} key for rotations by {}, the plan needs one of {} limbs; run velum "
            "keygen "
            "with this plan",
            key ? fmt::format("a {}-limb", key->limbs) : "no", shift, step.limbs);
      if (!rotations_.contains(shift))
        rotations_.emplace(shift, Rotation{ring::Rotation(params.ring_type(), params.n(), shift), key});
    }
}

void run_rotations(const PreparedStep& prepared, std::uint32_t begin, std::uint32_t end,
                   const Rotations& rotations, const ckks::Evaluator& evaluator, ValueStore& store,
                   Workers& workers) {
  const auto& step = *prepared.step;
  const std::size_t lifted = evaluator.decomposed_words(step.limbs);
  const std::size_t words = lifted + evaluator.scratch_words(step.limbs);
  const auto source = [&](const Bundle& b) {
    ckks::ConstView in = store.element(prepared.inputs[b.begin].value, prepared.inputs[b.begin].element);
    in.limbs = step.limbs;
    return in;
  };
  const auto rotate = [&](std::uint32_t o, const ckks::Decomposed& x, u64* scratch) {
    const auto& r = rotations.at(step.shifts[o]);
    evaluator.rotate_decomposed(store.element(step.output, o), x, *r.key, r.by, scratch);
  };

  const auto inputs = bundles(prepared, begin, end);
  const std::size_t left = inputs.size() % workers.count(), whole = inputs.size() - left;
  workers.loop(whole, [&](std::size_t i, int worker) {
    u64* memory = workers.take(worker, words);
    const auto x = evaluator.decompose(source(inputs[i]), memory, memory + lifted);
    for (auto o = inputs[i].begin; o < inputs[i].end; ++o) rotate(o, x, memory + lifted);
  });

  // The digits of the others lie in the memory of one worker each.
  std::vector<ckks::Decomposed> last(left);
  std::vector<std::pair<std::uint32_t, std::size_t>> outputs;  // and their input
  for (std::size_t i = 0; i < left; ++i)
    for (auto o = inputs[whole + i].begin; o < inputs[whole + i].end; ++o) outputs.emplace_back(o, i);
  std::vector<u64*> memory;
  for (std::size_t w = 0; left > 0 && w < workers.count(); ++w)
    memory.push_back(workers.take(static_cast<int>(w), words));
  workers.loop(left, [&](std::size_t i, int worker) {
    last[i] = evaluator.decompose(source(inputs[whole + i]), memory[i],
                                  memory[static_cast<std::size_t>(worker)] + lifted);
  });
  workers.loop(outputs.size(), [&](std::size_t i, int worker) {
    rotate(outputs[i].first, last[outputs[i].second], memory[static_cast<std::size_t>(worker)] + lifted);
  });
}

}  // namespace velum::engine
