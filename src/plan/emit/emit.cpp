#include "plan/emit/emit.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "plan/choose/quantise.h"
#include "plan/emit/emit_parts.h"
#include "plan/emit/emit_rotations.h"
#include "plan/schedule/run_products.h"
#include "plan/steps.h"

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
    plan_->client.blocks = net_.blocks;
    value_of_.assign(net_.vectors.size(), kAbsent);
    square_of_.assign(net_.vectors.size(), kAbsent);
    rotations_.emplace(*plan_, *meanings_);
    add_value(0, 2, p_.scaling.input_scale, p_.scaling.input_error);
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      if (p_.placement.squares_first[i])
        for (const auto& s : stages_[i].sources)
          if (s.kind == SourceKind::square && square_of_[s.vector] == kAbsent) add_square(s.vector);
      add_stage(i);
    }
    plan_->output_value = value_of_.back();
    plan_->client.keys.rotations = rotations_->keys();
  }

 private:
  Value value_like(std::uint32_t vector) const {
    const auto& v = net_.vectors[vector];
    Value value;
    value.name = v.name;
    value.elements = v.elements;
    value.layout = v.layout;
    value.limbs = levels_.vector_limbs[vector];
    value.bound = v.bound;
    value.rms = v.rms;
    value.row_begin = v.row_begin;
    return value;
  }

  std::uint32_t push_value(Value value, Meaning meaning) {
    plan_->values.push_back(std::move(value));
    meanings_->push_back(std::move(meaning));
    return static_cast<std::uint32_t>(plan_->values.size() - 1);
  }

  std::uint32_t add_value(std::uint32_t vector, std::uint8_t polys, double scale, double error) {
    auto value = value_like(vector);
    value.polys = polys;
    value.scale = scale;
    value.error_rms = error;
    return value_of_[vector] = push_value(std::move(value), net_.vectors[vector].meaning);
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
    auto meaning = net_.vectors[vector].meaning;
    if (from.layout.empty())
      meaning = select(meaning, elements);
    else
      for (const auto e : elements) {
        const auto begin = from.layout.begin() + static_cast<std::ptrdiff_t>(std::size_t{e} * net_.blocks);
        value.layout.insert(value.layout.end(), begin, begin + net_.blocks);
      }
    meaning.squared = true;
    Step step;
    step.name = value.name;
    step.kind = StepKind::squares;
    step.sources.push_back({value_of_[vector], SourceKind::square, 1, elements});
    step.limbs = value.limbs;
    step.polys = 3;
    step.affine_scale = value.scale;
    step.finish = Finish::relinearise;
    step.output = square_of_[vector] = push_value(std::move(value), std::move(meaning));
    plan_->steps.push_back(std::move(step));
  }

  bool exists(const PackedSource& s, bool squares_first) const {
    const bool squares = s.kind == SourceKind::square && squares_first;
    return (squares ? square_of_[s.vector] : value_of_[s.vector]) != kAbsent;
  }

  // The source as the plan names it: of relinearised squares where the stage reads those.
  Source unrotated(const PackedSource& s, bool squares_first) const {
    Source out{value_of_[s.vector], s.kind, 1, s.elements};
    if (s.kind == SourceKind::square && squares_first) {
      const auto& all = p_.placement.squared[s.vector];
      out.value = square_of_[s.vector];
      out.kind = SourceKind::plain;
      for (auto& e : out.elements)
        e = static_cast<std::uint32_t>(std::lower_bound(all.begin(), all.end(), e) - all.begin());
    }
    return out;
  }
  // All rotated copies of what the stage reads, also those that only later stages want: one step for each
  // value, so that a ciphertext is decomposed once.
  void add_rotated_inputs(std::size_t i) {
    std::map<std::uint32_t, RotationOrder> wanted;
    for (const auto& s : stages_[i].sources)
      if (s.shift != 0) wanted[unrotated(s, p_.placement.squares_first[i]).value];
    for (std::size_t j = i; j < stages_.size(); ++j)
      for (const auto& s : stages_[j].sources) {
        if (s.shift == 0 || !exists(s, p_.placement.squares_first[j])) continue;
        const auto from = unrotated(s, p_.placement.squares_first[j]);
        const auto it = wanted.find(from.value);
        if (it == wanted.end()) continue;
        for (const auto e : from.elements) it->second.emplace_back(e, s.shift);
      }
    for (auto& [value, order] : wanted) rotations_->add(value, std::move(order), stages_[i].name);
  }

  // Whether the stage reads its inputs slice by slice, each rotated when its turn comes.
  bool sliced(std::size_t i) const {
    const auto& sums = net_.stages[i].partials;
    return std::any_of(sums.begin(), sums.end(), [](const PartialSum& sum) { return sum.slice > 0; });
  }

  void add_stage(std::size_t i) {
    const auto& packed = stages_[i];
    const auto& scaled = p_.scaling.stages[i];
    const auto form = form_of(packed, levels_, p_.placement);
    if (!sliced(i)) add_rotated_inputs(i);
    Step step;
    step.name = packed.name;
    step.limbs = levels_.stages[i].limbs;
    step.polys = form.polys;
    step.finish = form.finish;
    step.pairs = packed.pairs;
    step.affine_scale = scaled.affine_scale;
    quantise(net_, packed, scaled.factor, step);
    for (std::size_t s = 0; s < packed.sources.size(); ++s) {
      step.sources.push_back(unrotated(packed.sources[s], p_.placement.squares_first[i]));
      step.sources.back().lift = scaled.lift[s];
    }
    if (packed.partial()) return add_parts(i, step, form);
    for (std::size_t s = 0; s < packed.sources.size(); ++s)
      if (packed.sources[s].shift != 0) rotations_->replace(step.sources[s], packed.sources[s].shift);
    step.bias = net_.stages[i].bias;
    const std::uint8_t polys = form.finish == Finish::none ? form.polys : 2;
    step.output = add_value(packed.vector, polys, scaled.scale, scaled.error());
    plan_->steps.push_back(std::move(step));
  }

  // Sums of the stage's vector before they are complete, and how far they are still to be rotated.
  struct Running : Addend {
    std::int32_t shift = 0;
  };

  // Parts that are rotated left, those that are rotated right, and those that are not, in this order: the
  // last one completes the sum.
  void add_parts(std::size_t i, const Step& whole, const StageForm& form) {
    const auto& partials = net_.stages[i].partials;
    const auto& begin = net_.stages[i].partial_row_begin;
    std::vector<std::size_t> left, right, still;  // indices into begin
    for (std::size_t k = 0; k + 1 < begin.size(); ++k) {
      const auto shift = partials[begin[k]].shift;
      (shift > 0 ? left : shift < 0 ? right : still).push_back(k);
    }
    std::reverse(left.begin(), left.end());
    std::vector<Addend> last;
    for (const auto* parts : {&left, &right})
      if (!parts->empty()) last.push_back(rotated(i, add_up(i, whole, *parts), 0));
    if (still.size() > 1)
      last.push_back(add_up(i, whole, std::vector<std::size_t>(still.begin(), still.end() - 1)));
    if (!still.empty()) last.push_back(add_part(i, whole, still, still.size() - 1));

    const auto& scaled = p_.scaling.stages[i];
    std::vector<std::uint32_t> all(stages_[i].outputs);
    std::iota(all.begin(), all.end(), 0u);
    Step sum = sum_of(last, all);
    sum.name = whole.name;
    sum.limbs = whole.limbs;
    sum.finish = form.sum_finish;
    sum.affine_scale = whole.affine_scale;
    sum.bias = net_.stages[i].bias;
    sum.output = add_value(stages_[i].vector, 2, scaled.scale, scaled.error());
    plan_->steps.push_back(std::move(sum));
  }

  // Horner's rule over parts whose shifts come closer to 0.
  Running add_up(std::size_t i, const Step& whole, const std::vector<std::size_t>& parts) {
    Running sum;
    for (std::size_t j = 0; j < parts.size(); ++j) {
      const auto shift = net_.stages[i].partials[net_.stages[i].partial_row_begin[parts[j]]].shift;
      if (sum.value == kAbsent) {
        static_cast<Addend&>(sum) = add_part(i, whole, parts, j);
        sum.shift = shift;
        continue;
      }
      sum = rotated(i, std::move(sum), shift);
      std::vector<Addend> both{sum};
      both.push_back(add_part(i, whole, parts, j));
      sum.elements = united_elements(both);
      Step add = sum_of(both, sum.elements);
      add.name = partial_name(i);
      add.limbs = whole.limbs;
      add.affine_scale = whole.affine_scale;
      add.bias.assign(sum.elements.size(), 0.0);
      sum.first = 0;
      add.output = sum.value = add_partial(i, short_rows(sum.elements.size()));
      plan_->steps.push_back(std::move(add));
    }
    return sum;
  }

  Running rotated(std::size_t i, Running sum, std::int32_t shift) {
    if (sum.shift == shift) return sum;
    const auto by = sum.shift - shift;
    RotationOrder order;
    for (std::uint32_t e = 0; e < sum.elements.size(); ++e) order.emplace_back(sum.first + e, by);
    rotations_->add(sum.value, std::move(order), stages_[i].name);
    const auto copy = rotations_->copy_of(sum.value, sum.first, by);
    sum.value = copy.value;
    sum.first = copy.element;
    sum.shift = shift;
    return sum;
  }

  // The groups of a part's sums.
  struct GroupRange {
    std::size_t begin = 0, end = 0;
  };
  GroupRange groups_of(std::size_t i, const Step& whole, std::size_t part) const {
    const auto& row_begin = net_.stages[i].partial_row_begin;
    const auto place = [&](std::uint32_t row) {
      const auto at = std::partition_point(whole.groups.begin(), whole.groups.end(),
                                           [&](const Group& g) { return g.first_output < row; });
      return static_cast<std::size_t>(at - whole.groups.begin());
    };
    return {place(row_begin[part]), place(row_begin[part + 1])};
  }

  // Whether the part has sums of three polynomials: it reads squares, or what is not yet relinearised.
  bool three_polynomials(std::size_t i, const Step& whole, const GroupRange& groups) const {
    const auto& packed = stages_[i].sources;
    return std::ranges::any_of(inputs_read(whole, groups.begin, groups.end), [&](const StepInput& in) {
      const auto& source = whole.sources[in.source];
      return source.kind == SourceKind::square ||
             (packed[in.source].shift == 0 && plan_->values[source.value].polys == 3);
    });
  }

  // How many of the parts from number j on are made together. They come in descending order or in ascending
  // one, without gaps; few sums are in memory before they are added.
  std::size_t made_together(std::size_t i, const Step& whole, const std::vector<std::size_t>& parts,
                            std::size_t j) const {
    constexpr std::size_t kMostSums = 16;
    const auto& row_begin = net_.stages[i].partial_row_begin;
    const bool three = three_polynomials(i, whole, groups_of(i, whole, parts[j]));
    std::size_t count = 0, sums = 0;
    std::uint64_t weights = 0;  // those that are kept as residues stay so
    while (j + count < parts.size() && !(sliced(i) && count > 0)) {
      const auto part = parts[j + count];
      sums += row_begin[part + 1] - row_begin[part];
      const auto groups = groups_of(i, whole, part);
      for (auto g = groups.begin; g < groups.end; ++g)
        weights += std::uint64_t{whole.groups[g].periodic_inputs.size()} * whole.groups[g].rows * net_.blocks;
      const bool next = count == 0 || part + count == parts[j] || parts[j] + count == part;
      if (count > 0 && (sums > kMostSums || weights * whole.limbs * 8 > kKeptWeightBytes || !next ||
                        three_polynomials(i, whole, groups) != three))
        break;
      ++count;
    }
    return count;
  }

  // The sums of part j of those given, after the rotated copies that they read.
  Addend add_part(std::size_t i, const Step& whole, const std::vector<std::size_t>& parts, std::size_t j) {
    if (const auto made = made_.find({i, parts[j]}); made != made_.end()) return made->second;
    const auto& stage = net_.stages[i];
    const auto count = made_together(i, whole, parts, j);
    const auto [low, high] = std::minmax(parts[j], parts[j + count - 1]);
    const auto first = stage.partial_row_begin[low], last = stage.partial_row_begin[high + 1];
    const GroupRange groups{groups_of(i, whole, low).begin, groups_of(i, whole, high).end};
    if (sliced(i)) add_copies(i, whole, groups.begin, groups.end);
    const auto& packed = stages_[i].sources;
    Step part = part_of(whole, groups.begin, groups.end, net_.blocks, [&](const StepInput& in) {
      const auto value = whole.sources[in.source].value;
      const auto shift = packed[in.source].shift;
      return shift == 0 ? RotationSteps::Copy{value, in.element}
                        : rotations_->copy_of(value, in.element, shift);
    });
    part.polys = three_polynomials(i, whole, groups) ? 3 : 2;
    part.finish = part.polys == 3 ? Finish::relinearise : Finish::none;
    part.name = partial_name(i);
    part.bias.assign(last - first, 0.0);
    auto rows = short_rows(last - first);
    if (count > 1) {  // each part is a row, freed once it is added
      rows.clear();
      for (auto k = low; k <= high + 1; ++k) rows.push_back(stage.partial_row_begin[k] - first);
    }
    part.output = add_partial(i, std::move(rows));
    for (auto k = low; k <= high; ++k) {
      Addend sums;
      sums.value = part.output;
      sums.first = stage.partial_row_begin[k] - first;
      for (auto row = stage.partial_row_begin[k]; row < stage.partial_row_begin[k + 1]; ++row)
        sums.elements.push_back(stage.partials[row].element);
      made_[{i, k}] = std::move(sums);
    }
    plan_->steps.push_back(std::move(part));
    return made_.at({i, parts[j]});
  }

  // Rotated copies that the groups read and that no earlier step made.
  void add_copies(std::size_t i, const Step& whole, std::size_t begin, std::size_t end) {
    std::map<std::uint32_t, RotationOrder> wanted;
    const auto& packed = stages_[i].sources;
    for (const auto& in : inputs_read(whole, begin, end))
      if (packed[in.source].shift != 0)
        wanted[whole.sources[in.source].value].emplace_back(in.element, packed[in.source].shift);
    for (auto& [value, order] : wanted) rotations_->add(value, std::move(order), stages_[i].name);
  }

  // Of steps that make partial sums, and of their values.
  std::string partial_name(std::size_t i) const { return stages_[i].name + std::string(kPartial); }

  // Short rows: a sum of two values of so many elements frees them while it goes on.
  static std::vector<std::uint32_t> short_rows(std::size_t elements) {
    constexpr std::uint32_t kRow = 32;
    const auto count = static_cast<std::uint32_t>(elements);
    std::vector<std::uint32_t> row_begin = {0};
    while (row_begin.back() < count) row_begin.push_back(std::min(row_begin.back() + kRow, count));
    return row_begin;
  }

  std::uint32_t add_partial(std::size_t i, std::vector<std::uint32_t> row_begin) {
    Value value = value_like(stages_[i].vector);
    value.name = partial_name(i);
    value.elements = row_begin.back();
    value.layout.clear();
    value.limbs = levels_.stages[i].limbs;
    value.scale = p_.scaling.stages[i].affine_scale;
    value.error_rms = p_.scaling.stages[i].error();
    value.row_begin = std::move(row_begin);
    return push_value(std::move(value), {});
  }

  const Network& net_;
  const std::vector<PackedStage>& stages_;
  const Levels& levels_;
  const Parameters& p_;
  ServerPlan* plan_ = nullptr;
  std::vector<Meaning>* meanings_ = nullptr;
  std::optional<RotationSteps> rotations_;
  std::map<std::pair<std::size_t, std::size_t>, Addend> made_;  // of parts, by stage and part
  std::vector<std::uint32_t> value_of_, square_of_;
};

// Which element of the output lives where; with one block, the order is the model's own.
Layout output_order(const Network& network) {
  const auto& output = network.vectors.back();
  if (!output.layout.empty()) return output.layout;
  Layout order(output.elements);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

}  // namespace

Emitted emit_plan(const model::Graph& graph, const Network& network, const std::vector<PackedStage>& stages,
                  const Levels& levels, const Parameters& parameters) {
  Emitted out;
  auto& plan = out.plan;
  auto& c = plan.client;
  c.params = parameters.literal;
  Emitter(network, stages, levels, parameters).run(out);
  const auto& output = plan.values[plan.output_value];
  c.keys.relinearise_limbs = parameters.placement.key_limbs;
  c.model_name = graph.name;
  c.input_shape = graph.input_shape;
  c.input_low = graph.input_range.low;
  c.input_high = graph.input_range.high;
  c.input_scale = plan.values[0].scale;
  c.input_limbs = plan.values[0].limbs;
  c.input_order = network.input_order;
  c.output_order = output_order(network);
  c.outputs = static_cast<std::uint32_t>(
      c.output_order.size() -
      static_cast<std::size_t>(std::count(c.output_order.begin(), c.output_order.end(), kAbsent)));
  c.output_scale = output.scale;
  c.output_limbs = output.limbs;
  c.output_polys = output.polys;
  c.output_bound = output.bound;
  return out;
}

}  // namespace velum::plan
