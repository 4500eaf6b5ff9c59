#include "plan/layout/pack.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/error.h"
#include "kernels/types.h"
#include "plan/lower/sums.h"
#include "plan/schedule/run_products.h"

namespace velum::plan {

namespace {

// What the outputs of a group read: with one weight for all blocks, and with weights by block.
struct GroupSupport {
  std::uint32_t scalar = 0, periodic = 0;
  bool operator==(const GroupSupport&) const = default;
};

// Runs of consecutive outputs in one image row (or partial sums of one rotation) that read the same supports;
// the supports of each.
std::vector<GroupSupport> cut_groups(const Stage& stage, const Vector& vector, std::vector<Group>& groups) {
  std::vector<GroupSupport> supports;
  const auto& row_begin = stage.partials.empty() ? vector.row_begin : stage.partial_row_begin;
  for (std::size_t r = 0; r + 1 < row_begin.size(); ++r)
    for (auto o = row_begin[r]; o < row_begin[r + 1]; ++o) {
      const GroupSupport support{stage.rows[o].support,
                                 stage.periodic_rows.empty() ? 0 : stage.periodic_rows[o].support};
      if (o > row_begin[r] && support == supports.back()) {
        ++groups.back().rows;
        continue;
      }
      groups.emplace_back();
      groups.back().first_output = o;
      groups.back().rows = 1;
      supports.push_back(support);
    }
  return supports;
}

std::vector<std::uint32_t> distinct(std::vector<std::uint32_t> v) {
  std::sort(v.begin(), v.end());
  v.erase(std::unique(v.begin(), v.end()), v.end());
  return v;
}

void add_sources(const Network& net, PackedStage& p) {
  std::size_t last = net.columns.ranges().size();
  for (const auto c : p.inputs) {
    const std::size_t index = net.columns.index_of(c);
    const auto& range = net.columns.ranges()[index];
    if (index != last) {
      p.sources.emplace_back();
      p.sources.back().vector = range.vector;
      p.sources.back().kind = range.kind;
      p.sources.back().shift = range.shift;
      last = index;
    }
    p.sources.back().elements.push_back(c - range.first);
  }
}

// A number for each column: equal for elements of one channel of a vector.
std::vector<std::uint32_t> channels_of_columns(const Network& net) {
  std::vector<std::uint32_t> channels;
  std::uint32_t first = 0;
  for (const auto& range : net.columns.ranges()) {
    std::uint32_t most = 0;
    for (std::uint32_t e = 0; e < range.count; ++e) {
      const auto channel = net.vectors[range.vector].channel[e];
      channels.push_back(first + channel);
      most = std::max(most, channel + 1);
    }
    first += most;
  }
  return channels;
}

// Numbers the families of sources; returns how many there are.
std::uint32_t number_families(PackedStage& p) {
  std::map<std::tuple<std::uint32_t, SourceKind, bool>, std::uint32_t> number;
  for (auto& s : p.sources) {
    const auto next = static_cast<std::uint32_t>(number.size());
    s.family = number.try_emplace({s.vector, s.kind, s.shift != 0}, next).first->second;
  }
  return static_cast<std::uint32_t>(number.size());
}

// What rounding and error propagation need to know of the weights, group by group.
class WeightMeasure {
 public:
  WeightMeasure(const Network& net, const Stage& stage, PackedStage& p)
      : net_(net), stage_(stage), p_(p), channels_(channels_of_columns(net)) {
    source_of_range_.resize(net.columns.ranges().size(), 0);
    for (std::size_t r = 0; r < source_of_range_.size(); ++r)
      for (std::size_t s = 0; s < p.sources.size(); ++s)
        if (p.sources[s].vector == net.columns.ranges()[r].vector &&
            p.sources[s].kind == net.columns.ranges()[r].kind &&
            p.sources[s].shift == net.columns.ranges()[r].shift)
          source_of_range_[r] = s;
  }

  // Of the network's last stage.
  std::vector<OutputSums> worst(std::uint32_t families) const {
    std::vector<std::uint32_t> family_of_range;
    for (const auto s : source_of_range_) family_of_range.push_back(p_.sources[s].family);
    return worst_outputs(net_, stage_, family_of_range, families, channels_);
  }

  // Weights that differ by block: of an output, the mean over the blocks where something lives.
  void periodic_group(const Group& g, std::uint32_t support_id) {
    const auto support = net_.supports[support_id];
    std::vector<std::size_t> source_of;
    for (const auto column : support) source_of.push_back(source_of_range_[net_.columns.index_of(column)]);
    for (std::uint32_t r = 0; r < g.rows; ++r) {
      const auto row = g.first_output + r;
      const double used = used_blocks(row);
      for (std::size_t c = 0; c < support.size(); ++c) {
        auto& source = p_.sources[source_of[c]];
        double squares = 0;
        stage_.periodic.for_each(stage_.periodic_rows[row].weights, c, [&](std::uint32_t, float weight) {
          const double w = static_cast<double>(weight);
          if (!std::isfinite(w))
            fail_user("layer '{}' has a weight that is not a finite number", stage_.name);
          source.max_weight = std::max(source.max_weight, std::fabs(w));
          squares += w * w;
        });
        source.sum_squares += squares / used;
        ++source.periodic_terms;
      }
    }
  }

  void group(const Group& g, std::uint32_t support_id) {
    const auto support = net_.supports[support_id];
    std::unordered_map<std::uint32_t, std::uint32_t> local;
    std::vector<std::uint32_t> channel_of_column(support.size()), source_of(support.size()),
        source_of_channel;
    for (std::size_t c = 0; c < support.size(); ++c) {
      source_of[c] = static_cast<std::uint32_t>(source_of_range_[net_.columns.index_of(support[c])]);
      const auto [it, fresh] =
          local.try_emplace(channels_[support[c]], static_cast<std::uint32_t>(source_of_channel.size()));
      if (fresh) source_of_channel.push_back(source_of[c]);
      channel_of_column[c] = it->second;
    }
    std::vector<double> sums(source_of_channel.size());
    for (std::uint32_t r = 0; r < g.rows; ++r) {
      const float* weights = stage_.weights.data() + stage_.rows[g.first_output + r].weights;
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::size_t c = 0; c < support.size(); ++c) {
        const double w = static_cast<double>(weights[c]);
        if (!std::isfinite(w)) fail_user("layer '{}' has a weight that is not a finite number", stage_.name);
        auto& source = p_.sources[source_of[c]];
        source.max_weight = std::max(source.max_weight, std::fabs(w));
        source.sum_squares += w * w;
        source.terms += w != 0 ? 1 : 0;
        sums[channel_of_column[c]] += w;
        if (stage_.sum_steps > 0) {
          // Only elements at the smallest factor have such weights: their squares are that much smaller.
          source.step_error += std::pow((w - std::nearbyint(w * stage_.sum_steps) / stage_.sum_steps) *
                                            kSmallestFactor * kSmallestFactor,
                                        2);
        }
      }
      for (std::size_t k = 0; k < sums.size(); ++k)
        p_.sources[source_of_channel[k]].channel_squares += sums[k] * sums[k];
    }
  }

 private:
  double used_blocks(std::uint32_t row) const {
    const auto element = stage_.partials.empty() ? row : stage_.partials[row].element;
    const auto& layout = net_.vectors[p_.vector].layout;
    const auto begin = layout.begin() + static_cast<std::ptrdiff_t>(std::size_t{element} * net_.blocks);
    const auto empty = std::count(begin, begin + net_.blocks, kAbsent);
    return std::max(1.0, static_cast<double>(net_.blocks) - static_cast<double>(empty));
  }

  const Network& net_;
  const Stage& stage_;
  PackedStage& p_;
  std::vector<std::uint32_t> channels_;
  std::vector<std::size_t> source_of_range_;
};

std::uint32_t row_of(const Vector& v, std::uint32_t element) {
  return static_cast<std::uint32_t>(std::upper_bound(v.row_begin.begin(), v.row_begin.end(), element) -
                                    v.row_begin.begin());
}

void count_rotated_sums(const Stage& stage, PackedStage& p) {
  std::vector<std::uint32_t> of_element(p.outputs, 0);
  for (const auto& sum : stage.partials) {
    if (sum.shift == 0) continue;
    ++p.rotated_sums;
    p.most_rotated = std::max(p.most_rotated, ++of_element[sum.element]);
  }
}

void count_rotated_inputs(PackedStage& p) {
  std::set<std::tuple<std::uint32_t, SourceKind, std::uint32_t>> inputs;
  for (const auto& s : p.sources) {
    if (s.shift == 0) continue;
    p.rotated += s.elements.size();
    for (const auto e : s.elements) inputs.emplace(s.vector, s.kind, e);
  }
  p.decomposed = inputs.size();
}

}  // namespace

bool PackedStage::squares() const {
  return std::any_of(sources.begin(), sources.end(),
                     [](const auto& s) { return s.kind == SourceKind::square; });
}

PackedStage pack(const Network& net, std::size_t index) {
  const auto& stage = net.stages[index];
  PackedStage p;
  p.name = stage.name;
  p.vector = static_cast<std::uint32_t>(index + 1);
  p.outputs = net.vectors[p.vector].elements;
  p.sums = static_cast<std::uint32_t>(stage.rows.size());
  p.blocks = net.blocks;
  count_rotated_sums(stage, p);
  p.sum_steps = stage.sum_steps;
  p.shared_weights = shares_weights(stage);
  const auto support_of_group = cut_groups(stage, net.vectors[p.vector], p.groups);
  std::vector<std::uint32_t> supports, periodic;
  for (const auto& s : support_of_group) {
    supports.push_back(s.scalar);
    periodic.push_back(s.periodic);
  }
  supports = distinct(std::move(supports));
  periodic = distinct(std::move(periodic));
  for (const auto* ids : {&supports, &periodic})
    for (const auto id : *ids)
      p.inputs.insert(p.inputs.end(), net.supports[id].begin(), net.supports[id].end());
  p.inputs = distinct(std::move(p.inputs));
  if (p.inputs.empty())
    fail_user("layer '{}' does not depend on the input: its result is a constant", stage.name);
  add_sources(net, p);
  WeightMeasure measure(net, stage, p);
  for (std::size_t g = 0; g < p.groups.size(); ++g) {
    measure.group(p.groups[g], support_of_group[g].scalar);
    if (support_of_group[g].periodic) measure.periodic_group(p.groups[g], support_of_group[g].periodic);
  }
  const auto families = number_families(p);
  if (index + 1 == net.stages.size()) p.worst = measure.worst(families);
  for (auto& source : p.sources)
    for (const auto& c : stage.coherence)
      if (c.vector == source.vector && c.kind == source.kind) {
        source.channel_squares = c.ratio * source.sum_squares;
        for (auto& output : p.worst)
          output[source.family].channel_squares = c.ratio * output[source.family].squares;
      }
  count_rotated_inputs(p);

  const auto input_of = [&](Column c) {
    return static_cast<std::uint32_t>(std::lower_bound(p.inputs.begin(), p.inputs.end(), c) -
                                      p.inputs.begin());
  };
  std::vector<std::vector<std::uint32_t>> readers(p.inputs.size());
  for (std::uint32_t s = 0; s < supports.size(); ++s)
    for (const auto c : net.supports[supports[s]]) readers[input_of(c)].push_back(s);
  std::vector<std::uint32_t> row;
  std::uint32_t row_base = 0;
  for (const auto& source : p.sources) {
    for (const auto e : source.elements) row.push_back(row_base + row_of(net.vectors[source.vector], e));
    row_base += static_cast<std::uint32_t>(net.vectors[source.vector].row_begin.size() + 1);
  }
  p.pairs = pair_inputs(readers, row);
  if (!stage.periodic_rows.empty())  // inputs whose weights all differ by block are in no pair
    std::erase_if(p.pairs, [&](const InputPair& pair) { return readers[pair.first].empty(); });

  std::vector<std::uint32_t> pair_of(p.inputs.size());
  for (std::uint32_t i = 0; i < p.pairs.size(); ++i) {
    pair_of[p.pairs[i].first] = i;
    if (p.pairs[i].second != kAbsent) pair_of[p.pairs[i].second] = i;
  }
  for (std::size_t g = 0; g < p.groups.size(); ++g) {
    auto& group = p.groups[g];
    for (const auto c : net.supports[support_of_group[g].scalar]) group.pairs.push_back(pair_of[input_of(c)]);
    group.pairs = distinct(std::move(group.pairs));
    for (const auto c : net.supports[support_of_group[g].periodic])
      group.periodic_inputs.push_back(input_of(c));
    p.periodic_products += std::uint64_t{group.rows} * group.periodic_inputs.size();
    p.run_inputs += run_row_blocks(group.rows) * group.periodic_inputs.size();
    if (group.pairs.empty() &&
        group.periodic_inputs.empty()) {  // a constant output: zero weights on some input
      if (p.pairs.empty())
        group.periodic_inputs.push_back(0);
      else
        group.pairs.push_back(0);
    }
    p.lanes += std::uint64_t{group.rows} * group.pairs.size() * 2;
    p.row_blocks += kernels::row_block_count(group.rows);
    p.panel_lanes += kernels::row_block_count(group.rows) * group.pairs.size() * 2;
  }
  if (p.blocks > 1 && p.pairs.empty()) p.extra_bits = std::round(std::log2(2.0 * p.blocks - 1) / 2);
  return p;
}

}  // namespace velum::plan
