#include "plan/lower/error_gains.h"

#include <cmath>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "plan/lower/network.h"

namespace velum::plan {

namespace {

constexpr std::uint64_t kSamples = 4;

// Signs from a counter (Steele, Lea, Flood: SplitMix64).
double random_sign(std::uint64_t seed) {
  seed += 0x9e3779b97f4a7c15;
  seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
  seed = (seed ^ (seed >> 27)) * 0x94d049bb133111eb;
  return ((seed ^ (seed >> 31)) >> 63) != 0 ? 1 : -1;
}

// Consecutive places of a support whose columns belong to one source.
struct Segment {
  std::uint32_t vector = 0, begin = 0, end = 0;
  Column first = 0;
  bool square = false;
};

class Walk {
 public:
  explicit Walk(const Network& net) : net_(net) {
    gains_.independent.assign(net.vectors.size(), 0);
    gains_.by_channel.assign(net.vectors.size(), 0);
  }

  ErrorGains run() {
    for (std::uint64_t s = 0; s < kSamples; ++s) sample(s);
    const double count = static_cast<double>(kSamples) * net_.vectors.back().elements;
    for (auto* all : {&gains_.independent, &gains_.by_channel})
      for (auto& g : *all) g /= count;
    return std::move(gains_);
  }

 private:
  // The slope of an element's square: twice a typical value, its known offset and the rest of the vector's
  // size with a random sign.
  void draw_slopes(std::uint64_t s) {
    slopes_.resize(net_.vectors.size());
    for (std::size_t v = 0; v < net_.vectors.size(); ++v) {
      const auto& vector = net_.vectors[v];
      const auto& offset = vector.meaning.offset;
      double squares = 0;
      for (const double o : offset) squares += o * o;
      const double known = offset.empty() ? 0 : squares / static_cast<double>(offset.size());
      const double rest = std::sqrt(std::max(0.0, vector.rms * vector.rms - known));
      slopes_[v].resize(vector.elements);
      for (std::uint32_t e = 0; e < vector.elements; ++e)
        slopes_[v][e] = 2 * ((e < offset.size() ? offset[e] : 0) + rest * random_sign(s << 48 | v << 32 | e));
    }
  }

  const std::vector<Segment>& segments_of(std::uint32_t support) {
    const auto [it, fresh] = segments_.try_emplace(support);
    if (!fresh) return it->second;
    const auto columns = net_.supports[support];
    std::size_t last = net_.columns.ranges().size();
    for (std::uint32_t c = 0; c < columns.size(); ++c) {
      const auto index = net_.columns.index_of(columns[c]);
      const auto& range = net_.columns.ranges()[index];
      if (index != last)
        it->second.push_back({range.vector, c, c, range.first, range.kind == SourceKind::square});
      it->second.back().end = c + 1;
      last = index;
    }
    return it->second;
  }

  void walk_back(std::size_t stage_index, std::vector<std::vector<double>>& gradient) {
    const auto& stage = net_.stages[stage_index];
    const auto& out = gradient[stage_index + 1];
    for (std::size_t e = 0; e < stage.rows.size(); ++e) {
      if (out[e] == 0) continue;
      const auto columns = net_.supports[stage.rows[e].support];
      const float* weights = stage.weights.data() + stage.rows[e].weights;
      for (const auto& s : segments_of(stage.rows[e].support)) {
        auto& to = gradient[s.vector];
        const auto& slope = slopes_[s.vector];
        for (auto c = s.begin; c < s.end; ++c) {
          const auto at = columns[c] - s.first;
          to[at] += out[e] * static_cast<double>(weights[c]) * (s.square ? slope[at] : 1);
        }
      }
    }
  }

  void sample(std::uint64_t s) {
    draw_slopes(s);
    std::vector<std::vector<double>> gradient;
    for (const auto& v : net_.vectors) gradient.emplace_back(v.elements, 0.0);
    // Errors of several outputs at once: with random signs they do not mix in the mean.
    for (std::size_t o = 0; o < gradient.back().size(); ++o) gradient.back()[o] = random_sign(~(s << 48 | o));
    for (std::size_t i = net_.stages.size(); i-- > 0;) walk_back(i, gradient);
    for (std::size_t v = 0; v < gradient.size(); ++v) {
      std::map<std::uint32_t, double> channels;
      for (std::uint32_t e = 0; e < gradient[v].size(); ++e) {
        gains_.independent[v] += gradient[v][e] * gradient[v][e];
        channels[net_.vectors[v].channel[e]] += gradient[v][e];
      }
      for (const auto& [channel, sum] : channels) gains_.by_channel[v] += sum * sum;
    }
  }

  const Network& net_;
  ErrorGains gains_;
  std::vector<std::vector<double>> slopes_;
  std::unordered_map<std::uint32_t, std::vector<Segment>> segments_;
};

}  // namespace

ErrorGains error_gains(const Network& network) {
  return Walk(network).run();
}

}  // namespace velum::plan
