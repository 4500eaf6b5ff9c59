#include "plan/layout/block_map.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "base/error.h"
#include "base/parallel.h"
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
    stage_.coherence = old_.coherence.empty() ? channel_coherence(net_, old_) : old_.coherence;
    stage_.periodic = BlockWeights(layout_.blocks, old_.weights, weight_rows());
    const auto patterns = patterns_of(old_, layout_);
    std::vector<std::uint32_t> inputs;
    for (const auto& range : net_.columns.ranges()) inputs.push_back(layouts_[range.vector].ciphertexts);
    std::vector<MappedPattern> mapped(patterns.supports.size());
    parallel_for(mapped.size(), [&](std::size_t i, int) {
      const auto links = find_links(net_, layouts_, patterns.supports[i]);
      mapped[i] = map_pattern(Pattern(links, patterns.supports[i], cut_, inputs), patterns.ciphertexts[i]);
    });
    // A stage of scalars alone stays so: they lose nothing to the rounding of plaintexts.
    const bool all_scalar = std::ranges::all_of(mapped, &MappedPattern::all_scalar);
    for (std::size_t i = 0; i < mapped.size(); ++i) {
      if (scalars_ == ScalarWeights::by_block && !all_scalar)
        std::fill(mapped[i].scalar.begin(), mapped[i].scalar.end(), false);
      add_pattern(std::move(mapped[i]), patterns.ciphertexts[i]);
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

  // The terms of ciphertexts alike.
  struct MappedPattern {
    std::vector<Term> terms;
    WeightPlaces places;
    std::vector<Elsewhere> rest;  // by term
    std::vector<bool> scalar;     // by term: one weight for all blocks
    std::vector<bool> any;        // by term: not zero in all of these ciphertexts
    bool all_scalar = true;
  };

  // By ciphertext and block, where the element's row of weights begins.
  std::vector<std::size_t> weight_rows() const {
    std::vector<std::size_t> rows;
    rows.reserve(layout_.element.size());
    for (const auto e : layout_.element) rows.push_back(e == kAbsent ? 0 : old_.rows[e].weights);
    return rows;
  }

  // `written`: scratch of P entries, all false, and so again afterwards.
  Elsewhere elsewhere(const Pattern& pattern, const WeightPlaces& places, std::size_t term,
                      std::vector<bool>& written) const {
    const auto& t = pattern.terms()[term];
    const auto vector = net_.columns.ranges()[t.range].vector;
    const auto blocks = pattern.blocks();
    const auto* in = layouts_[vector].element.data() + std::size_t{t.ciphertext} * blocks;
    const bool zero_where_unused = out_.vectors[vector].unused_bound == 0;
    const auto stands_at = [&](const WeightPlace& w) {
      return shifted_block(w.element_block, t.giant, blocks);
    };
    for (const auto& w : places.of(term)) written[stands_at(w)] = true;
    // Where nothing may spill, the first that does is as bad as harm.
    const auto settled = [&](Elsewhere e) {
      return e == Elsewhere::harms || (e == Elsewhere::spills && !may_spill_);
    };
    auto result = Elsewhere::nothing;
    for (std::uint32_t q = 0; q < blocks && !settled(result); ++q) {
      if (written[q]) continue;
      if (zero_where_unused && in[shifted_block(q, t.baby, blocks)] == kAbsent) continue;
      result = pattern.reaches_element(term, q) ? Elsewhere::harms : Elsewhere::spills;
    }
    for (const auto& w : places.of(term)) written[stands_at(w)] = false;
    return result;
  }

  MappedPattern map_pattern(const Pattern& pattern, const std::vector<std::uint32_t>& ciphertexts) const {
    MappedPattern m;
    m.terms = pattern.terms();
    m.places = pattern.places();
    const bool sums = old_.sum_steps > 0;
    std::vector<bool> written(pattern.blocks(), false);
    for (std::size_t t = 0; t < m.terms.size(); ++t) {
      const auto rest = elsewhere(pattern, m.places, t, written);
      bool scalar = sums || rest == Elsewhere::nothing || (may_spill_ && rest == Elsewhere::spills),
           any = false;
      for (std::size_t i = 0; i < ciphertexts.size() && (scalar || !any); ++i) {
        bool first = true;
        float same = 0;
        stage_.periodic.for_each(m.places, t, ciphertexts[i], [&](std::size_t, float w) {
          if (first) same = w;
          first = false;
          scalar = scalar && w == same;
          any = any || w != 0;
          return scalar || !any;
        });
      }
      m.rest.push_back(rest);
      m.scalar.push_back(scalar);
      m.any.push_back(any);
      m.all_scalar = m.all_scalar && scalar;
    }
    if (sums) check_sums(m);
    return m;
  }

  // A pool's sum keeps its scale only where its weights are exact, which plaintexts of period P are not.
  void check_sums(const MappedPattern& m) const {
    // How many terms are written in each block: all of them, or none.
    std::vector<std::size_t> written(layout_.blocks, 0);
    for (std::size_t t = 0; t < m.terms.size(); ++t)
      for (const auto& w : m.places.of(t))
        ++written[shifted_block(w.element_block, m.terms[t].giant, layout_.blocks)];
    const bool same_blocks =
        std::ranges::all_of(written, [&](std::size_t n) { return n == 0 || n == m.terms.size(); });
    for (std::size_t t = 0; t < m.terms.size(); ++t)
      if (!m.scalar[t] || m.terms[t].giant != 0 || !same_blocks)
        fail_user("layer '{}' adds up squares with weights that differ by block", old_.name);
  }

  void add_pattern(MappedPattern m, const std::vector<std::uint32_t>& ciphertexts) {
    bool periodic = false;
    for (std::size_t t = 0; t < m.terms.size(); ++t) {
      if (m.scalar[t] && m.rest[t] != Elsewhere::nothing) spills_ = true;
      periodic = periodic || (m.any[t] && !m.scalar[t]);
    }
    std::size_t number = 0;
    if (periodic) number = stage_.periodic.add_places(std::move(m.places));
    const auto& places = periodic ? stage_.periodic.places(number) : m.places;
    std::size_t begin = 0;
    while (begin < m.terms.size()) {
      std::size_t end = begin;
      const auto part = [&](std::size_t t) { return std::pair(m.terms[t].giant, m.terms[t].slice); };
      while (end < m.terms.size() && part(end) == part(begin)) ++end;
      add_rows(m, places, number, ciphertexts, begin, end);
      begin = end;
    }
  }

  // Rows of the terms from `begin` to `end`, whose places have this number.
  void add_rows(const MappedPattern& m, const WeightPlaces& places, std::size_t number,
                const std::vector<std::uint32_t>& ciphertexts, std::size_t begin, std::size_t end) {
    // Columns of the new network in ascending order, scalar and periodic ones apart.
    struct Entry {
      Column column;
      std::uint32_t term;
    };
    std::vector<Entry> plain, periodic;
    for (auto t = begin; t < end; ++t) {
      const auto& term = m.terms[t];
      const auto& old = net_.columns.ranges()[term.range];
      const auto& range =
          out_.columns.range(old.vector, old.kind, layouts_[old.vector].ciphertexts, term.baby);
      if (!m.any[t]) continue;
      (m.scalar[t] ? plain : periodic)
          .push_back({range.first + term.ciphertext, static_cast<std::uint32_t>(t)});
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
    std::size_t terms = 0;
    if (!periodic.empty()) {
      std::vector<std::uint32_t> list;
      list.reserve(periodic.size());
      for (const auto& e : periodic) list.push_back(e.term);
      terms = stage_.periodic.add_terms(number, std::move(list));
    }
    for (const auto ciphertext : ciphertexts) {
      NewRow row;
      row.giant = m.terms[begin].giant;
      row.slice = m.terms[begin].slice;
      row.ciphertext = ciphertext;
      row.scalar = {plain_support, stage_.weights.size()};
      for (const auto& e : plain)
        stage_.periodic.for_each(places, e.term, ciphertext, [&](std::size_t, float w) {
          stage_.weights.push_back(w);
          return false;
        });
      row.periodic = {periodic_support, periodic.empty() ? 0 : stage_.periodic.add_row(terms, ciphertext)};
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
  Stage stage_;
  std::vector<NewRow> rows_;
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
