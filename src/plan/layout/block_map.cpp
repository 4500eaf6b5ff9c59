#include "plan/layout/block_map.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/error.h"
#include "plan/layout/block_links.h"

namespace velum::plan {

using namespace blocks;

namespace {

// What the blocks of a vector that hold nothing may hold.
enum class UnusedBlocks : std::uint8_t { zero, anything };

// A row of the new stage before rows are put in their order.
struct NewRow {
  std::int32_t giant = 0;
  std::uint32_t slice = 0, ciphertext = 0;
  Row scalar, periodic;
};

class StageMapper {
 public:
  StageMapper(const Network& net, const std::vector<BlockLayout>& layouts, Network& out, std::size_t index,
              const Cut& cut, ScalarWeights scalars, UnusedBlocks unused)
      : net_(net),
        layouts_(layouts),
        out_(out),
        old_(net.stages[index]),
        layout_(layouts[index + 1]),
        cut_(cut),
        scalars_(scalars),
        may_spill_(unused == UnusedBlocks::anything) {}

  Stage run() {
    stage_.name = old_.name;
    stage_.sum_steps = old_.sum_steps;
    stage_.shared_weights = shares_weights(old_);
    stage_.coherence = channel_coherence(net_, old_);
    const auto patterns = patterns_of(old_, layout_);
    std::vector<std::uint32_t> inputs;
    for (const auto& range : net_.columns.ranges()) inputs.push_back(layouts_[range.vector].ciphertexts);
    std::vector<Links> links;
    for (const auto& supports : patterns.supports) links.push_back(find_links(net_, layouts_, supports));
    const auto add_all = [&] {
      for (std::size_t i = 0; i < patterns.supports.size(); ++i)
        add_pattern(Pattern(links[i], patterns.supports[i], cut_, inputs), patterns.ciphertexts[i]);
    };
    add_all();
    // A stage of scalars alone stays so: they lose nothing to the rounding of plaintexts.
    if (scalars_ == ScalarWeights::by_block && !all_scalar_) {
      by_block_ = true;
      rows_.clear();
      stage_.weights.clear();
      stage_.periodic_weights.clear();
      spills_ = false;
      add_all();
    }
    order_rows();
    add_bias();
    unused_bound_ = bound_unused();
    return std::move(stage_);
  }

 private:
  // What a weight on the term does where it stands in all blocks although it is written in some: nothing
  // where it reads zeros; where it does not, it may land in blocks that hold nothing.
  enum class Elsewhere : std::uint8_t { nothing, spills, harms };
  Elsewhere elsewhere(const Pattern& pattern, const std::vector<bool>& written, std::size_t term) const {
    const auto& t = pattern.terms()[term];
    const auto vector = net_.columns.ranges()[t.range].vector;
    const auto blocks = static_cast<std::int64_t>(pattern.blocks());
    const auto& in = layouts_[vector];
    auto result = Elsewhere::nothing;
    for (std::int64_t q = 0; q < blocks; ++q) {
      if (written[term * pattern.blocks() + static_cast<std::size_t>(q)]) continue;
      const auto from = static_cast<std::size_t>(((q + t.baby) % blocks + blocks) % blocks);
      if (out_.vectors[vector].unused_bound == 0 &&
          in.element[std::size_t{t.ciphertext} * in.blocks + from] == kAbsent)
        continue;
      if (pattern.reaches_element(term, q)) return Elsewhere::harms;
      result = Elsewhere::spills;
    }
    return result;
  }

  void add_pattern(const Pattern& pattern, const std::vector<std::uint32_t>& ciphertexts) {
    const std::size_t terms = pattern.terms().size(), blocks = pattern.blocks();
    const auto written = pattern.written();
    std::vector<bool> scalar(terms);
    const bool sums = old_.sum_steps > 0;
    std::vector<Elsewhere> rest(terms);
    for (std::size_t t = 0; t < terms; ++t) {
      rest[t] = elsewhere(pattern, written, t);
      scalar[t] = sums || rest[t] == Elsewhere::nothing || (may_spill_ && rest[t] == Elsewhere::spills);
    }
    // Gigabytes for a large network: the memory is used again for every pattern.
    scratch_.assign(ciphertexts.size() * terms * blocks, 0.0F);
    std::vector<const float*> weights(ciphertexts.size());
    std::vector<const float*> rows(blocks, nullptr);
    for (std::size_t i = 0; i < ciphertexts.size(); ++i) {
      for (std::size_t p = 0; p < blocks; ++p) {
        const auto e = layout_.element[std::size_t{ciphertexts[i]} * blocks + p];
        rows[p] = e == kAbsent ? nullptr : old_.weights.data() + old_.rows[e].weights;
      }
      pattern.fill(scratch_.data() + i * terms * blocks, rows);
      weights[i] = scratch_.data() + i * terms * blocks;
      for (std::size_t t = 0; t < terms; ++t) {
        if (!scalar[t]) continue;
        const float* w = weights[i] + t * blocks;
        const float* first = nullptr;
        for (std::size_t q = 0; q < blocks && scalar[t]; ++q) {
          if (!written[t * blocks + q]) continue;
          if (first && w[q] != *first) scalar[t] = false;
          if (!first) first = w + q;
        }
      }
    }
    if (sums) check_sums(pattern, written, scalar);
    all_scalar_ = all_scalar_ && std::all_of(scalar.begin(), scalar.end(), [](bool b) { return b; });
    if (by_block_) std::fill(scalar.begin(), scalar.end(), false);
    for (std::size_t t = 0; t < terms; ++t)
      if (scalar[t] && rest[t] != Elsewhere::nothing) spills_ = true;
    std::size_t begin = 0;
    while (begin < terms) {
      std::size_t end = begin;
      const auto part = [&](std::size_t t) {
        return std::pair(pattern.terms()[t].giant, pattern.terms()[t].slice);
      };
      while (end < terms && part(end) == part(begin)) ++end;
      add_rows(pattern, written, scalar, weights, ciphertexts, begin, end);
      begin = end;
    }
  }

  // A pool's sum keeps its scale only where its weights are exact, which plaintexts of period P are not.
  void check_sums(const Pattern& pattern, const std::vector<bool>& written, const std::vector<bool>& scalar) {
    const std::size_t blocks = pattern.blocks();
    std::vector<bool> used(blocks, false);
    for (std::size_t t = 0; t < scalar.size(); ++t)
      for (std::size_t q = 0; q < blocks; ++q)
        if (written[t * blocks + q]) used[q] = true;
    for (std::size_t t = 0; t < scalar.size(); ++t) {
      bool everywhere = pattern.terms()[t].giant == 0;
      for (std::size_t q = 0; q < blocks; ++q) everywhere = everywhere && written[t * blocks + q] == used[q];
      if (!scalar[t] || !everywhere)
        fail_user("layer '{}' adds up squares with weights that differ by block", old_.name);
    }
  }

  void add_rows(const Pattern& pattern, const std::vector<bool>& written, const std::vector<bool>& scalar,
                const std::vector<const float*>& weights, const std::vector<std::uint32_t>& ciphertexts,
                std::size_t begin, std::size_t end) {
    const std::size_t blocks = pattern.blocks();
    // Columns of the new network in ascending order, scalar and periodic ones apart.
    struct Entry {
      Column column;
      std::size_t term;
    };
    std::vector<Entry> plain, periodic;
    for (auto t = begin; t < end; ++t) {
      const auto& term = pattern.terms()[t];
      const auto& old = net_.columns.ranges()[term.range];
      const auto& range =
          out_.columns.range(old.vector, old.kind, layouts_[old.vector].ciphertexts, term.baby);
      const Entry entry{range.first + term.ciphertext, t};
      bool any = false;
      for (const auto& w : weights)
        for (std::size_t q = 0; q < blocks && !any; ++q) any = w[t * blocks + q] != 0;
      if (!any) continue;
      (scalar[t] ? plain : periodic).push_back(entry);
    }
    const auto ascending = [](const Entry& a, const Entry& b) { return a.column < b.column; };
    std::sort(plain.begin(), plain.end(), ascending);
    std::sort(periodic.begin(), periodic.end(), ascending);
    const auto intern = [&](const std::vector<Entry>& entries) {
      std::vector<Column> columns;
      columns.reserve(entries.size());
      for (const auto& e : entries) columns.push_back(e.column);
      return out_.supports.intern(std::move(columns));
    };
    const auto plain_support = intern(plain), periodic_support = intern(periodic);
    for (std::size_t i = 0; i < ciphertexts.size(); ++i) {
      NewRow row;
      row.giant = pattern.terms()[begin].giant;
      row.slice = pattern.terms()[begin].slice;
      row.ciphertext = ciphertexts[i];
      row.scalar = {plain_support, stage_.weights.size()};
      for (const auto& e : plain) {
        std::size_t q = 0;
        while (!written[e.term * blocks + q]) ++q;
        stage_.weights.push_back(weights[i][e.term * blocks + q]);
      }
      row.periodic = {periodic_support, stage_.periodic_weights.size()};
      for (const auto& e : periodic) {
        const float* w = weights[i] + e.term * blocks;
        stage_.periodic_weights.insert(stage_.periodic_weights.end(), w, w + blocks);
      }
      rows_.push_back(row);
    }
  }

  // One row a ciphertext where nothing is added up afterwards; else the partial sums, by giant step and
  // slice. A ciphertext that reads nothing at all (constants) has a row without columns.
  void order_rows() {
    std::vector<bool> present(layout_.ciphertexts, false);
    for (const auto& row : rows_) present[row.ciphertext] = true;
    for (std::uint32_t t = 0; t < layout_.ciphertexts; ++t)
      if (!present[t]) rows_.push_back({0, 0, t, {0, 0}, {0, 0}});
    std::stable_sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
      return std::tuple(a.giant, a.slice, a.ciphertext) < std::tuple(b.giant, b.slice, b.ciphertext);
    });
    const bool direct =
        std::all_of(rows_.begin(), rows_.end(), [](const auto& r) { return r.giant == 0 && r.slice == 0; });
    for (const auto& row : rows_) {
      if (!direct) {
        if (stage_.partials.empty() || stage_.partials.back().shift != row.giant ||
            stage_.partials.back().slice != row.slice)
          stage_.partial_row_begin.push_back(static_cast<std::uint32_t>(stage_.partials.size()));
        stage_.partials.push_back({row.ciphertext, row.giant, row.slice});
      }
      stage_.rows.push_back(row.scalar);
      stage_.periodic_rows.push_back(row.periodic);
    }
    if (!direct) stage_.partial_row_begin.push_back(static_cast<std::uint32_t>(stage_.partials.size()));
  }

  void add_bias() {
    const std::size_t blocks = layout_.blocks;
    std::vector<double> bias;
    bool same = true;
    for (std::uint32_t t = 0; t < layout_.ciphertexts; ++t) {
      for (std::size_t p = 0; p < blocks; ++p) {
        const auto e = layout_.element[std::size_t{t} * blocks + p];
        bias.push_back(e == kAbsent ? 0 : old_.bias[e]);
        same = same && bias.back() == bias[std::size_t{t} * blocks];
      }
    }
    if (same)
      for (std::uint32_t t = 0; t < layout_.ciphertexts; ++t)
        stage_.bias.push_back(bias[std::size_t{t} * blocks]);
    else
      stage_.bias = std::move(bias);
  }

  // What blocks that hold nothing may come to hold: scalar weights on all that they could read.
  double bound_unused() const {
    if (!spills_) return 0;
    std::vector<double> sums(layout_.ciphertexts, 0);
    RangeFinder finder(out_.columns);
    for (std::size_t r = 0; r < stage_.rows.size(); ++r) {
      const auto element = stage_.partials.empty() ? r : stage_.partials[r].element;
      const auto support = out_.supports[stage_.rows[r].support];
      for (std::size_t c = 0; c < support.size(); ++c) {
        const auto& range = finder.range_of(support[c]);
        const auto& from = out_.vectors[range.vector];
        const double most = std::max(from.bound, from.unused_bound);
        sums[element] += std::fabs(static_cast<double>(stage_.weights[stage_.rows[r].weights + c])) *
                         (range.kind == SourceKind::square ? most * most : most);
      }
    }
    if (stage_.bias.size() == sums.size())
      for (std::size_t t = 0; t < sums.size(); ++t) sums[t] += std::fabs(stage_.bias[t]);
    return *std::max_element(sums.begin(), sums.end());
  }

 public:
  double unused_bound() const { return unused_bound_; }

 private:
  const Network& net_;
  const std::vector<BlockLayout>& layouts_;
  Network& out_;
  const Stage& old_;
  const BlockLayout& layout_;
  Cut cut_;
  ScalarWeights scalars_;
  bool all_scalar_ = true, by_block_ = false;
  Stage stage_;
  std::vector<NewRow> rows_;
  std::vector<float> scratch_;
  bool may_spill_ = false, spills_ = false;
  double unused_bound_ = 0;
};

// Whether the blocks that hold nothing of the stage's vector may hold anything: those who read it multiply
// them by zero then, and cannot have scalar weights. It pays where they would have none, or do little beside
// the stage. The client sees the last vector.
bool may_spill(const Network& net, std::size_t index) {
  constexpr std::uint64_t kLittle = 8;
  if (index + 1 == net.stages.size()) return false;
  const auto own = count_products(net, net.stages[index]);
  for (std::size_t s = index + 1; s < net.stages.size(); ++s) {
    const auto& stage = net.stages[s];
    if (reads(net, stage, static_cast<std::uint32_t>(index + 1)) && shares_weights(stage) &&
        count_products(net, stage) > own / kLittle)
      return false;
  }
  return true;
}

double largest_unused_share(const BlockLayout& layout) {
  double most = 0;
  for (std::uint32_t t = 0; t < layout.ciphertexts; ++t) {
    const auto begin = layout.element.begin() + static_cast<std::ptrdiff_t>(std::size_t{t} * layout.blocks);
    most = std::max(most, static_cast<double>(std::count(begin, begin + layout.blocks, kAbsent)) /
                              static_cast<double>(layout.blocks));
  }
  return most;
}

Vector mapped_vector(const Vector& old, const BlockLayout& layout) {
  Vector v;
  v.name = old.name;
  v.elements = layout.ciphertexts;
  v.row_begin = layout.row_begin;
  v.bound = old.bound;
  v.rms = old.rms;
  v.channel = layout.channel;
  v.meaning = old.meaning;
  v.shape = old.shape;
  v.layout = layout.element;
  v.extra_bits = old.extra_bits;
  return v;
}

}  // namespace

bool keeps_sums(const Network& network, const std::vector<BlockLayout>& layouts, const GiantSteps& giants) {
  Network scratch;
  scratch.blocks = layouts.front().blocks;
  for (std::size_t v = 0; v < network.vectors.size(); ++v)
    scratch.vectors.push_back(mapped_vector(network.vectors[v], layouts[v]));
  try {
    for (std::size_t s = 0; s < network.stages.size(); ++s)
      if (network.stages[s].sum_steps > 0)
        StageMapper(network, layouts, scratch, s, {giants[s], 1}, ScalarWeights::kept, UnusedBlocks::zero)
            .run();
  } catch (const Error&) {
    return false;
  }
  return true;
}

Network map_blocks(const Network& network, const std::vector<BlockLayout>& layouts, const GiantSteps& giants,
                   ScalarWeights scalars, const InputSlices& slices) {
  Network out;
  out.blocks = layouts.front().blocks;
  out.gains = network.gains;
  for (std::size_t v = 0; v < network.vectors.size(); ++v)
    out.vectors.push_back(mapped_vector(network.vectors[v], layouts[v]));
  for (const auto e : layouts[0].element)
    out.input_order.push_back(e == kAbsent ? kAbsent : network.input_order[e]);
  for (std::size_t s = 0; s < network.stages.size(); ++s) {
    const Cut cut{giants[s], slices.empty() ? 1 : slices[s]};
    StageMapper mapper(network, layouts, out, s, cut, scalars,
                       may_spill(network, s) ? UnusedBlocks::anything : UnusedBlocks::zero);
    out.stages.push_back(mapper.run());
    out.vectors[s + 1].unused_bound = mapper.unused_bound();
    out.vectors[s + 1].unused_share = largest_unused_share(layouts[s + 1]);
  }
  return out;
}

}  // namespace velum::plan
