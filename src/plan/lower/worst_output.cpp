#include "plan/lower/worst_output.h"

#include <algorithm>
#include <unordered_map>

namespace velum::plan {

namespace {

constexpr std::size_t kMostKept = 32;

bool no_more(const WeightSums& a, const WeightSums& b) {
  return a.squares <= b.squares && a.channel_squares <= b.channel_squares && a.terms <= b.terms &&
         a.periodic_terms <= b.periodic_terms;
}

bool dominated(const OutputSums& a, const OutputSums& by) {
  for (std::size_t f = 0; f < a.size(); ++f)
    if (!no_more(a[f], by[f])) return false;
  return true;
}

void raise(WeightSums& a, const WeightSums& b) {
  a.squares = std::max(a.squares, b.squares);
  a.channel_squares = std::max(a.channel_squares, b.channel_squares);
  a.terms = std::max(a.terms, b.terms);
  a.periodic_terms = std::max(a.periodic_terms, b.periodic_terms);
}

void add(WeightSums& a, const WeightSums& b) {
  a.squares += b.squares;
  a.channel_squares += b.channel_squares;
  a.terms += b.terms;
  a.periodic_terms += b.periodic_terms;
}

class Outputs {
 public:
  Outputs(const Network& net, const Stage& stage, const std::vector<std::uint32_t>& family_of_range,
          std::size_t families, const std::vector<std::uint32_t>& channel_of_column)
      : net_(net),
        stage_(stage),
        family_of_range_(family_of_range),
        families_(families),
        channel_of_column_(channel_of_column),
        sums_(std::size_t{net.vectors.back().elements} * net.blocks, OutputSums(families)) {}

  // Sums by place: block q of ciphertext t at t * P + q.
  std::vector<OutputSums> run() {
    for (std::uint32_t row = 0; row < stage_.rows.size(); ++row) {
      scalars(row);
      if (!stage_.periodic_rows.empty()) by_block(row);
    }
    const auto& layout = net_.vectors.back().layout;
    std::vector<OutputSums> outputs;
    for (std::size_t place = 0; place < sums_.size(); ++place)
      if (layout.empty() || layout[place] != kAbsent) outputs.push_back(std::move(sums_[place]));
    return outputs;
  }

 private:
  std::uint32_t family(Column c) const { return family_of_range_[net_.columns.index_of(c)]; }

  // Block q of the row is added to this place, or to none: a rotation brings it from beyond.
  OutputSums* place(std::uint32_t row, std::size_t q) {
    const auto sum = stage_.partials.empty() ? PartialSum{row, 0} : stage_.partials[row];
    const auto to = static_cast<std::int64_t>(q) - sum.shift;
    if (to < 0 || to >= std::int64_t{net_.blocks}) return nullptr;
    return &sums_[std::size_t{sum.element} * net_.blocks + static_cast<std::size_t>(to)];
  }

  void scalars(std::uint32_t row) {
    const auto support = net_.supports[stage_.rows[row].support];
    const float* weights = stage_.weights.data() + stage_.rows[row].weights;
    OutputSums own(families_);
    std::unordered_map<std::uint32_t, std::pair<std::uint32_t, double>> channels;  // family, sum
    for (std::size_t c = 0; c < support.size(); ++c) {
      const double w = static_cast<double>(weights[c]);
      const auto f = family(support[c]);
      own[f].squares += w * w;
      own[f].terms += w != 0 ? 1 : 0;
      auto& channel = channels[channel_of_column_[support[c]]];
      channel.first = f;
      channel.second += w;
    }
    for (const auto& [channel, sum] : channels) own[sum.first].channel_squares += sum.second * sum.second;
    for (std::size_t q = 0; q < net_.blocks; ++q)
      if (auto* to = place(row, q))
        for (std::size_t f = 0; f < families_; ++f) add((*to)[f], own[f]);
  }

  void by_block(std::uint32_t row) {
    const auto support = net_.supports[stage_.periodic_rows[row].support];
    std::vector<float> weights(net_.blocks);
    for (std::size_t c = 0; c < support.size(); ++c) {
      stage_.periodic.read(stage_.periodic_rows[row].weights, c, weights);
      const auto f = family(support[c]);
      for (std::size_t q = 0; q < net_.blocks; ++q) {
        auto* to = place(row, q);
        if (!to) continue;
        const double w = static_cast<double>(weights[q]);
        add((*to)[f], {.squares = w * w, .channel_squares = w * w, .periodic_terms = 1});
      }
    }
  }

  const Network& net_;
  const Stage& stage_;
  const std::vector<std::uint32_t>& family_of_range_;
  std::size_t families_;
  const std::vector<std::uint32_t>& channel_of_column_;
  std::vector<OutputSums> sums_;
};

double size(const OutputSums& o) {
  double squares = 0;
  for (const auto& f : o) squares += f.squares;
  return squares;
}

}  // namespace

std::vector<OutputSums> worst_outputs(const Network& network, const Stage& stage,
                                      const std::vector<std::uint32_t>& family_of_range, std::size_t families,
                                      const std::vector<std::uint32_t>& channel_of_column) {
  auto all = Outputs(network, stage, family_of_range, families, channel_of_column).run();
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return size(a) > size(b); });
  std::vector<OutputSums> kept;
  for (auto& o : all) {
    if (std::any_of(kept.begin(), kept.end(), [&](const auto& k) { return dominated(o, k); })) continue;
    if (kept.size() < kMostKept)
      kept.push_back(std::move(o));
    else
      for (std::size_t f = 0; f < families; ++f) raise(kept.back()[f], o[f]);
  }
  return kept;
}

}  // namespace velum::plan
