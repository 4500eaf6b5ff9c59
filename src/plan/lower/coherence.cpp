#include "plan/lower/coherence.h"

#include <algorithm>
#include <unordered_map>

#include "plan/lower/network.h"

namespace velum::plan {

namespace {

// Of a support: for each column, which of `sums` it adds to, and of each sum, which source it belongs to.
struct SupportChannels {
  std::vector<std::uint32_t> sum_of_column;
  std::vector<std::size_t> source_of_sum;
};

class Measure {
 public:
  Measure(const Network& net, const Stage& stage) : net_(net), stage_(stage) {}

  std::vector<Coherence> run() {
    std::unordered_map<std::uint32_t, SupportChannels> known;
    std::vector<double> sums;
    for (const auto& row : stage_.rows) {
      auto it = known.find(row.support);
      if (it == known.end()) it = known.emplace(row.support, channels_of(row.support)).first;
      const auto& channels = it->second;
      sums.assign(channels.source_of_sum.size(), 0.0);
      const float* weights = stage_.weights.data() + row.weights;
      for (std::size_t c = 0; c < channels.sum_of_column.size(); ++c) {
        const double w = static_cast<double>(weights[c]);
        sums[channels.sum_of_column[c]] += w;
        alone_[channels.source_of_sum[channels.sum_of_column[c]]] += w * w;
      }
      for (std::size_t k = 0; k < sums.size(); ++k) together_[channels.source_of_sum[k]] += sums[k] * sums[k];
    }
    for (std::size_t s = 0; s < found_.size(); ++s)
      if (alone_[s] > 0) found_[s].ratio = together_[s] / alone_[s];
    return std::move(found_);
  }

 private:
  std::size_t source(std::uint32_t vector, SourceKind kind) {
    for (std::size_t s = 0; s < found_.size(); ++s)
      if (found_[s].vector == vector && found_[s].kind == kind) return s;
    found_.push_back({vector, kind, 1});
    alone_.push_back(0);
    together_.push_back(0);
    return found_.size() - 1;
  }

  SupportChannels channels_of(std::uint32_t support) {
    SupportChannels out;
    std::unordered_map<std::uint64_t, std::uint32_t> local;
    for (const auto column : net_.supports[support]) {
      const auto& range = net_.columns.ranges()[net_.columns.index_of(column)];
      const auto s = source(range.vector, range.kind);
      const auto key = std::uint64_t{s} << 32 | net_.vectors[range.vector].channel[column - range.first];
      const auto [it, fresh] = local.try_emplace(key, static_cast<std::uint32_t>(out.source_of_sum.size()));
      if (fresh) out.source_of_sum.push_back(s);
      out.sum_of_column.push_back(it->second);
    }
    return out;
  }

  const Network& net_;
  const Stage& stage_;
  std::vector<Coherence> found_;
  std::vector<double> alone_, together_;
};

}  // namespace

std::vector<Coherence> channel_coherence(const Network& network, const Stage& stage) {
  return Measure(network, stage).run();
}

}  // namespace velum::plan
