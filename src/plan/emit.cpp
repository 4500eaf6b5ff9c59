#include "plan/emit.h"

#include <algorithm>
#include <numeric>

#include "plan/quantise.h"

namespace velum::plan {

namespace {

class Emitter {
 public:
  Emitter(const Network& network, const std::vector<PackedStage>& stages, const Levels& levels,
          const Parameters& parameters)
      : net_(network), stages_(stages), levels_(levels), p_(parameters) {}

  void run(Emitted& out) {
    plan_ = &out.plan;
    meanings_ = &out.meanings;
    value_of_.resize(net_.vectors.size());
    square_of_.assign(net_.vectors.size(), kAbsent);
    add_value(0, 2, p_.scaling.input_scale, p_.scaling.input_error);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (p_.placement.squares_first[i])
        for (const auto& s : stages_[i].sources)
          if (s.kind == SourceKind::square && square_of_[s.vector] == kAbsent) add_square(s.vector);
      add_stage(i);
    }
    plan_->output_value = value_of_.back();
  }

 private:
  std::uint32_t add_value(std::uint32_t vector, std::uint8_t polys, double scale, double error) {
    const auto& v = net_.vectors[vector];
    Value value;
    value.name = v.name;
    value.elements = v.elements;
    value.polys = polys;
    value.limbs = levels_.vector_limbs[vector];
    value.scale = scale;
    value.bound = v.bound;
    value.rms = v.rms;
    value.error_rms = error;
    value.row_begin = v.row_begin;
    plan_->values.push_back(std::move(value));
    meanings_->push_back(v.meaning);
    return value_of_[vector] = static_cast<std::uint32_t>(plan_->values.size() - 1);
  }

  // The step "square and relinearise" for the elements of a vector that later steps read squared.
  void add_square(std::uint32_t vector) {
    const auto& from = plan_->values[value_of_[vector]];
    const auto& elements = p_.placement.squared[vector];
    Value value;
    value.name = from.name + ".squared";
    value.elements = static_cast<std::uint32_t>(elements.size());
    value.limbs = from.limbs;
    value.scale = from.scale * from.scale;
    value.bound = from.bound * from.bound;
    value.rms = from.rms * from.rms;
    value.error_rms = 2 * from.rms * from.error_rms;
    value.row_begin.push_back(0);
    for (std::size_t r = 1; r < from.row_begin.size(); ++r) {
      const auto end =
          std::lower_bound(elements.begin(), elements.end(), from.row_begin[r]) - elements.begin();
      if (static_cast<std::uint32_t>(end) > value.row_begin.back())
        value.row_begin.push_back(static_cast<std::uint32_t>(end));
    }
    Step step;
    step.name = value.name;
    step.identity = true;
    step.output = static_cast<std::uint32_t>(plan_->values.size());
    step.sources.push_back({value_of_[vector], SourceKind::square, 1, elements});
    step.limbs = value.limbs;
    step.polys = 3;
    step.affine_scale = value.scale;
    step.finish = Finish::relinearise;
    square_of_[vector] = step.output;
    plan_->values.push_back(std::move(value));
    meanings_->push_back(select(net_.vectors[vector].meaning, elements));
    meanings_->back().squared = true;
    plan_->steps.push_back(std::move(step));
  }

  Source source(const PackedSource& s, std::uint64_t lift, bool squares_first) const {
    if (s.kind == SourceKind::plain || !squares_first) return {value_of_[s.vector], s.kind, lift, s.elements};
    const auto& all = p_.placement.squared[s.vector];
    Source out{square_of_[s.vector], SourceKind::plain, lift, {}};
    for (const auto e : s.elements)
      out.elements.push_back(
          static_cast<std::uint32_t>(std::lower_bound(all.begin(), all.end(), e) - all.begin()));
    return out;
  }

  void add_stage(std::size_t i) {
    const auto& packed = stages_[i];
    const auto& scaled = p_.scaling.stages[i];
    const bool squares_first = p_.placement.squares_first[i];
    const auto form = form_of(packed, levels_, p_.placement);
    Step step;
    step.name = packed.name;
    for (std::size_t s = 0; s < packed.sources.size(); ++s)
      step.sources.push_back(source(packed.sources[s], scaled.lift[s], squares_first));
    step.limbs = levels_.stages[i].limbs;
    step.polys = form.polys;
    step.finish = form.finish;
    step.pairs = packed.pairs;
    step.bias = net_.stages[i].bias;
    step.affine_scale = scaled.affine_scale;
    quantise(net_, packed, scaled.factor, step);
    const std::uint8_t polys = form.finish == Finish::none ? form.polys : 2;
    step.output = add_value(packed.vector, polys, scaled.scale, scaled.error());
    plan_->steps.push_back(std::move(step));
  }

  const Network& net_;
  const std::vector<PackedStage>& stages_;
  const Levels& levels_;
  const Parameters& p_;
  ServerPlan* plan_ = nullptr;
  std::vector<Meaning>* meanings_ = nullptr;
  std::vector<std::uint32_t> value_of_, square_of_;
};

}  // namespace

Emitted emit_plan(const model::Graph& graph, const Network& network, const std::vector<PackedStage>& stages,
                  const Levels& levels, const Parameters& parameters) {
  Emitted out;
  Emitter(network, stages, levels, parameters).run(out);
  auto& plan = out.plan;
  const auto& output = plan.values[plan.output_value];
  auto& c = plan.client;
  c.params = parameters.literal;
  c.keys.relinearise_limbs = parameters.placement.key_limbs;
  c.model_name = graph.name;
  c.input_shape = graph.input_shape;
  c.input_low = graph.input_range.low;
  c.input_high = graph.input_range.high;
  c.input_scale = plan.values[0].scale;
  c.input_limbs = plan.values[0].limbs;
  c.input_order = network.input_order;
  c.outputs = output.elements;
  c.output_scale = output.scale;
  c.output_limbs = output.limbs;
  c.output_polys = output.polys;
  c.output_bound = output.bound;
  return out;
}

}  // namespace velum::plan
