#include "plan/scales.h"

#include <algorithm>
#include <cmath>

#include "plan/quantise.h"

namespace velum::plan {

namespace {

// The largest integer weight of so many bits, sign included.
double largest_of(double bits) {
  return std::exp2(bits - 1) - 1;
}

// Rounded weights are one draw for the network's whole life, not an average over many: their variance is
// taken double.
constexpr double kOneDraw = 2;

class Assignment {
 public:
  Assignment(const ScaleProblem& p, const ScaleBits& bits, const std::vector<ckks::u64>* primes)
      : p_(p), bits_(bits), fixed_(primes != nullptr) {
    out_.primes.assign(p.levels.limbs, 0);
    if (primes)
      for (std::size_t i = 0; i < p.levels.limbs; ++i) out_.primes[i] = static_cast<double>((*primes)[i]);
    out_.stages.resize(p.stages.size());
  }

  Scaling run() {
    const auto& input = p_.network.vectors[0];
    out_.input_scale = std::exp2(bits_.input) / input.bound;
    out_.input_error = std::sqrt(fresh_variance(p_.ring, p_.n)) / out_.input_scale;
    out_.feasible = true;
    for (auto limbs = p_.levels.limbs; limbs > 0 && out_.feasible; --limbs) {
      for (std::size_t i = 0; i < p_.stages.size(); ++i)
        if (p_.levels.stages[i].limbs == limbs && !p_.levels.stages[i].rescales) keep(i);
      rescale_all(limbs);
    }
    if (out_.feasible) check_heights();
    if (out_.feasible) judge();
    return std::move(out_);
  }

 private:
  double value_scale(std::uint32_t v) const { return v == 0 ? out_.input_scale : out_.stages[v - 1].scale; }
  double value_noise(std::uint32_t v) const { return v == 0 ? out_.input_error : out_.stages[v - 1].noise; }
  double value_rounding(std::uint32_t v) const { return v == 0 ? 0 : out_.stages[v - 1].rounding; }
  double bound(std::size_t stage) const { return p_.network.vectors[stage + 1].bound; }

  int degree_of(const PackedSource& s) const {
    return s.kind == SourceKind::square ? 2 : p_.levels.vector_degree[s.vector];
  }
  double source_scale(const PackedSource& s) const {
    const double scale = value_scale(s.vector);
    return s.kind == SourceKind::square ? scale * scale : scale;
  }
  void refuse(std::size_t stage, std::string why) {
    out_.feasible = false;
    out_.problem = "layer '" + p_.stages[stage].name + "': " + std::move(why);
    out_.dominant = static_cast<int>(stage);
  }

  // Integer weight per unit of scale, at most: sources of the stage's own degree, which cannot be lifted.
  double steepest(std::size_t stage) const {
    double most = 0;
    for (const auto& s : p_.stages[stage].sources)
      if (degree_of(s) == p_.levels.stages[stage].degree)
        most = std::max(most, s.max_weight / source_scale(s));
    return most;
  }

  // Affine scale T given: integer weights and lifts follow. `largest` is what plain sources' weights are
  // lifted down to.
  void set_affine(std::size_t stage, double scale, double largest, bool lift_all) {
    auto& out = out_.stages[stage];
    out.affine_scale = scale;
    for (const auto& s : p_.stages[stage].sources) {
      const double own = source_scale(s);
      std::uint64_t lift = 1;
      if ((lift_all || degree_of(s) < p_.levels.stages[stage].degree) && s.max_weight > 0)
        lift = static_cast<std::uint64_t>(std::max(1.0, std::ceil(scale * s.max_weight / (largest * own))));
      const double factor = scale / (own * static_cast<double>(lift));
      out.lift.push_back(lift);
      out.factor.push_back(factor);
      out.largest_weight = std::max(out.largest_weight, factor * s.max_weight);
    }
    if (out.largest_weight > kLargestWeight + 0.5)
      refuse(stage, "its weights do not fit 16 bits beside the other layers of its level");
  }

  // Stages whose result keeps its scale.
  void keep(std::size_t i) {
    const auto& level = p_.levels.stages[i];
    const bool last = i + 1 == p_.stages.size();
    if (p_.stages[i].sum_steps > 0) {
      double scale = 0;
      for (const auto& s : p_.stages[i].sources)
        if (degree_of(s) == 2) scale = source_scale(s) * p_.stages[i].sum_steps;
      set_affine(i, scale, largest_of(bits_.weights), false);
    } else {
      const double largest = largest_of(level.degree == 1 && !last ? bits_.first_weights : bits_.weights);
      const double steep = steepest(i);
      set_affine(i, largest / (steep > 0 ? steep : 1 / out_.input_scale), largest, false);
    }
    auto& out = out_.stages[i];
    out.scale = out.affine_scale;
    propagate(i, 0);
    if (last && out_.feasible) choose_lowest(i, std::log2(out.scale * bound(i)) + 2);
  }

  // The lowest primes hold the final value: two equal ones, or one of two digits and the rest where that
  // saves a digit.
  void choose_lowest(std::size_t i, double bits) {
    const std::uint32_t count = p_.levels.stages[i].limbs;
    out_.final_bits = bits;
    if (fixed_) {
      double have = 0;
      for (std::uint32_t l = 0; l < count; ++l) have += std::log2(out_.primes[l]);
      if (have < bits) refuse(i, "its result does not fit the last moduli");
      return;
    }
    if (count == 1) {
      if (bits > kLargestPrime) return refuse(i, "its result does not fit one modulus");
      out_.primes[0] = std::exp2(std::max(bits, kSmallestPrime));
      return;
    }
    double low = std::max(bits / 2, kSmallestPrime), high = low;
    if (low > kTwoDigitPrime) {
      low = kTwoDigitPrime;
      high = bits - low;
      if (high > kLargestPrime) low = high = bits / 2;
    }
    if (high > kLargestPrime) return refuse(i, "its result does not fit the last two moduli");
    out_.primes[0] = std::exp2(low);
    out_.primes[1] = std::exp2(high);
  }

  // All stages that divide by the prime of this level share it. The one with the widest sums sets it by its
  // weights' bits; the others take more bits for their weights.
  void rescale_all(std::uint32_t limbs) {
    std::vector<std::size_t> at;
    double widest = 0;
    for (std::size_t i = 0; i < p_.stages.size(); ++i) {
      if (p_.levels.stages[i].limbs != limbs || !p_.levels.stages[i].rescales) continue;
      at.push_back(i);
      const double steep = p_.levels.stages[i].degree == 2 ? steepest(i) : 0;
      if (steep > 0) widest = std::max(widest, bound(i) / steep);
    }
    if (at.empty()) return;
    const double wanted = std::exp2(bits_.values);
    double& prime = out_.primes[limbs - 1];
    if (!fixed_) {
      const double largest = largest_of(bits_.weights);
      prime = widest > 0 ? std::max(widest * largest / wanted, std::exp2(kSmallestPrime))
                         : std::exp2(kSmallestPrime + 1);
      if (std::log2(prime) > kLargestPrime) return refuse(at.front(), "a rescale needs a prime over 2^47.9");
    }
    for (const auto i : at) {
      const bool lift_all = p_.levels.stages[i].degree == 1;
      const double steep = lift_all ? 0 : steepest(i);
      double scale = prime * wanted / bound(i);
      if (steep > 0) scale = std::min(scale, kLargestWeight / steep);
      const double largest = std::clamp(scale * steep, largest_of(bits_.weights), double{kLargestWeight});
      set_affine(i, scale, largest, lift_all);
      out_.stages[i].scale = scale / prime;
      propagate(i, prime);
    }
  }

  // Error of the stage's vector: of its sources through the weights, of rounding the weights, and of the
  // division.
  void propagate(std::size_t i, double prime) {
    const auto& stage = p_.stages[i];
    auto& out = out_.stages[i];
    double carried_noise = 0, carried_rounding = 0, rounding = 0, noise = 0;
    for (std::size_t j = 0; j < stage.sources.size(); ++j) {
      const auto& s = stage.sources[j];
      const auto& v = p_.network.vectors[s.vector];
      const bool square = s.kind == SourceKind::square;
      const double steep = square ? 2 * v.rms : 1;
      carried_noise += s.sum_squares / stage.outputs * std::pow(steep * value_noise(s.vector), 2);
      carried_rounding += s.channel_squares / stage.outputs * std::pow(steep * value_rounding(s.vector), 2);
      // Mean square of the input; a bell curve's fourth moment is three times its squared variance.
      const double size = square ? std::min(3 * std::pow(v.rms, 4), std::pow(v.bound, 4)) : v.rms * v.rms;
      const double rounded = stage.sum_steps > 0 && square
                                 ? s.step_error
                                 : static_cast<double>(s.terms) / 12 / (out.factor[j] * out.factor[j]);
      rounding += kOneDraw * rounded / stage.outputs * size;
    }
    if (prime > 0) {
      const double digits = p_.levels.stages[i].limbs;
      noise =
          (rounding_variance(p_.ring, p_.n) + key_switch_variance(p_.ring, p_.n, digits) / (prime * prime)) /
          (out.scale * out.scale);
    }
    // Weights of their own at every position round independently: like noise.
    if (!stage.shared_weights) {
      noise += rounding;
      rounding = 0;
    }
    out.noise = std::sqrt(carried_noise + noise);
    out.rounding = std::sqrt(carried_rounding + rounding);
    out.added_noise = std::sqrt(noise);
    out.added_rounding = std::sqrt(rounding);
  }

  // A vector at scale T before its rescale must not wrap around the moduli it lives over.
  void check_heights() {
    std::vector<double> height(p_.levels.limbs + 1, 0);
    for (std::size_t l = 0; l < p_.levels.limbs; ++l) height[l + 1] = height[l] + std::log2(out_.primes[l]);
    for (std::size_t i = 0; i < p_.stages.size(); ++i)
      if (std::log2(out_.stages[i].affine_scale * bound(i)) + 2 > height[p_.levels.stages[i].limbs] + 1e-9)
        return refuse(i, "its sums do not fit the moduli of its level");
  }

  void judge() {
    const std::size_t last = p_.stages.size() - 1;
    out_.precision_bits = -std::log2(out_.stages[last].error() / bound(last));
    // A stage's share: how much a unit of its error moves the output, walking back from there.
    std::vector<double> noise_gain(p_.stages.size() + 1, 0), rounding_gain(p_.stages.size() + 1, 0);
    noise_gain.back() = rounding_gain.back() = 1;
    for (std::size_t i = p_.stages.size(); i-- > 0;)
      for (const auto& s : p_.stages[i].sources) {
        const double steep = s.kind == SourceKind::square ? 2 * p_.network.vectors[s.vector].rms : 1;
        const double each = steep * steep / p_.stages[i].outputs;
        noise_gain[s.vector] += noise_gain[i + 1] * s.sum_squares * each;
        rounding_gain[s.vector] += rounding_gain[i + 1] * s.channel_squares * each;
      }
    double worst = noise_gain[0] * out_.input_error * out_.input_error;
    for (std::size_t i = 0; i < p_.stages.size(); ++i) {
      const auto& stage = out_.stages[i];
      const double share = noise_gain[i + 1] * stage.added_noise * stage.added_noise +
                           rounding_gain[i + 1] * stage.added_rounding * stage.added_rounding;
      if (share <= worst) continue;
      worst = share;
      out_.dominant = static_cast<int>(i);
    }
  }

  const ScaleProblem& p_;
  const ScaleBits& bits_;
  bool fixed_;
  Scaling out_;
};

}  // namespace

Scaling assign_scales(const ScaleProblem& problem, const ScaleBits& bits,
                      const std::vector<ckks::u64>* primes) {
  return Assignment(problem, bits, primes).run();
}

}  // namespace velum::plan
