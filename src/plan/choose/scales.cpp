#include "plan/choose/scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "ckks/core/parameters.h"
#include "plan/choose/quantise.h"

namespace velum::plan {

namespace {

// The largest integer weight of so many bits, sign included.
double largest_of(double bits) {
  return std::exp2(bits - 1) - 1;
}

double squared(double x) {
  return x * x;
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
    out_.input_error =
        std::sqrt(p_.public_key ? public_fresh_variance(p_.ring, p_.n) : fresh_variance(p_.ring, p_.n)) /
        out_.input_scale;
    out_.feasible = true;
    for (auto limbs = p_.levels.limbs; limbs > 0 && out_.feasible; --limbs) {
      for (std::size_t i = 0; i < p_.stages.size(); ++i)
        if (p_.levels.stages[i].limbs == limbs && keeps(i)) keep(i);
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
  double extra_scale(std::size_t stage) const { return std::exp2(p_.network.vectors[stage + 1].extra_bits); }
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

  double largest_weight(std::size_t stage) const {
    return kLargestWeight * std::exp2(p_.stages[stage].extra_bits);
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
    if (out.largest_weight > largest_weight(stage) + 0.5)
      refuse(stage, "its weights do not fit 16 bits beside the other layers of its level");
  }

  // Whether the primes of its level follow from the stage's scale, and not its scale from them.
  bool keeps(std::size_t i) const { return !p_.levels.stages[i].rescales || i + 1 == p_.stages.size(); }

  // Stages whose result keeps its scale, and the last one.
  void keep(std::size_t i) {
    const auto& level = p_.levels.stages[i];
    const bool last = i + 1 == p_.stages.size();
    if (p_.stages[i].sum_steps > 0) {
      double scale = 0;
      for (const auto& s : p_.stages[i].sources)
        if (degree_of(s) == 2) scale = source_scale(s) * p_.stages[i].sum_steps;
      set_affine(i, scale, largest_of(bits_.weights), false);
    } else {
      const double largest = largest_of((level.degree == 1 && !last ? bits_.first_weights : bits_.weights) +
                                        p_.stages[i].extra_bits);
      const double steep = steepest(i);
      set_affine(i, largest / (steep > 0 ? steep : 1 / out_.input_scale), largest, false);
    }
    auto& out = out_.stages[i];
    out.scale = out.affine_scale;
    if (last && out_.feasible) choose_lowest(i, std::log2(out.scale * bound(i)) + 2);
    const double prime = p_.levels.stages[i].rescales && out_.feasible ? out_.primes[level.limbs - 1] : 0;
    if (prime > 0) out.scale /= prime;
    propagate(i, prime);
  }

  // The lowest primes hold the final value: two equal ones, or one of two digits and the rest where that
  // saves a digit.
  void choose_lowest(std::size_t i, double bits) {
    const std::uint32_t count = p_.levels.stages[i].limbs;
    out_.final_bits = bits;
    if (fixed_) {
      const double have = ckks::log2_product(std::span<const double>(out_.primes).first(count));
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
    double widest = 0;  // largest weight times what a unit of it is worth
    for (std::size_t i = 0; i < p_.stages.size(); ++i) {
      if (p_.levels.stages[i].limbs != limbs || keeps(i)) continue;
      at.push_back(i);
      const double steep = p_.levels.stages[i].degree == 2 ? steepest(i) : 0;
      if (steep > 0)
        widest = std::max(
            widest, bound(i) / steep * largest_of(bits_.weights + p_.stages[i].extra_bits) / extra_scale(i));
    }
    if (at.empty()) return;
    const double wanted = std::exp2(bits_.values);
    double& prime = out_.primes[limbs - 1];
    if (!fixed_) {
      prime =
          widest > 0 ? std::max(widest / wanted, std::exp2(kSmallestPrime)) : std::exp2(kSmallestPrime + 1);
      if (std::log2(prime) > kLargestPrime)
        return refuse(at.front(), fmt::format("a rescale needs a prime over 2^{}", kLargestPrime));
    }
    for (const auto i : at) {
      const bool lift_all = p_.levels.stages[i].degree == 1;
      const double steep = lift_all ? 0 : steepest(i);
      double scale = prime * wanted * extra_scale(i) / bound(i);
      if (steep > 0) scale = std::min(scale, largest_weight(i) / steep);
      const double largest =
          std::clamp(scale * steep, largest_of(bits_.weights + p_.stages[i].extra_bits), largest_weight(i));
      set_affine(i, scale, largest, lift_all);
      out_.stages[i].scale = scale / prime;
      propagate(i, prime);
    }
  }

  // What a digit smaller than P leaves of a key switch's noise.
  double excess() const { return std::exp2(-2 * p_.special_excess); }
  // A key switch by itself, its division by P rounded.
  double switch_variance(std::size_t stage) const {
    return rounding_variance(p_.ring, p_.n) +
           key_switch_variance(p_.ring, p_.n, p_.levels.stages[stage].limbs) * excess();
  }
  // Of a rotated input, squared or not, in units of its true value: squares are rotated where they are
  // relinearised before they are read.
  double rotated_variance(std::size_t stage, const PackedSource& s) const {
    const double scale = value_scale(s.vector), one = switch_variance(stage) / (scale * scale);
    if (s.kind != SourceKind::square) return one;
    if (p_.squares_first && (*p_.squares_first)[stage]) return one / (scale * scale);
    return squared(2 * p_.network.vectors[s.vector].rms) * one;
  }

  // Squared errors of a vector: what its sources bring through the weights, and what begins in the stage.
  struct Errors {
    double carried_noise = 0, carried_rounding = 0, noise = 0, rounding = 0;
  };

  // What an output's weights on source j add.
  void add_source(std::size_t i, std::size_t j, const WeightSums& weights, double step_error, double factor,
                  Errors& e) const {
    const auto& stage = p_.stages[i];
    const auto& s = stage.sources[j];
    const auto& v = p_.network.vectors[s.vector];
    const bool square = s.kind == SourceKind::square;
    const double steep = square ? 2 * v.rms : 1;
    e.carried_noise += weights.squares * squared(steep * value_noise(s.vector));
    e.carried_rounding += weights.channel_squares * squared(steep * value_rounding(s.vector));
    // Mean square of the input; a bell curve's fourth moment is three times its squared variance.
    const double size =
        square ? std::min(3 * squared(squared(v.rms)), squared(squared(v.bound))) : v.rms * v.rms;
    const double rounded =
        stage.sum_steps > 0 && square
            ? step_error
            : (weights.terms / 12 + weights.periodic_terms * periodic_rounding(stage.blocks)) /
                  (factor * factor);
    e.rounding += kOneDraw * rounded * size;
    if (s.shift != 0) e.noise += weights.squares * rotated_variance(i, s);
  }

  // Of the mean output.
  Errors mean_errors(std::size_t i) const {
    const auto& stage = p_.stages[i];
    const double outputs = stage.outputs;
    Errors e;
    for (std::size_t j = 0; j < stage.sources.size(); ++j) {
      const auto& s = stage.sources[j];
      add_source(i, j,
                 {.squares = s.sum_squares / outputs,
                  .channel_squares = s.channel_squares / outputs,
                  .terms = static_cast<double>(s.terms) / outputs,
                  .periodic_terms = static_cast<double>(s.periodic_terms) / outputs},
                 s.step_error / outputs, out_.stages[i].factor[j], e);
    }
    return e;
  }

  // Of the last stage's output that errs most; no less where sources of one family differ in their factors.
  Errors worst_errors(std::size_t i) const {
    const auto& stage = p_.stages[i];
    std::vector<std::size_t> source(stage.worst[0].size(), stage.sources.size());
    for (std::size_t j = 0; j < stage.sources.size(); ++j) {
      auto& one = source[stage.sources[j].family];
      if (one == stage.sources.size() || out_.stages[i].factor[j] < out_.stages[i].factor[one]) one = j;
    }
    Errors most;
    for (const auto& output : stage.worst) {
      Errors e;
      for (std::size_t f = 0; f < source.size(); ++f)
        add_source(i, source[f], output[f], 0, out_.stages[i].factor[source[f]], e);
      if (total(e) > total(most)) most = e;
    }
    return most;
  }
  static double total(const Errors& e) { return e.carried_noise + e.carried_rounding + e.noise + e.rounding; }

  // Error of the stage's vector: of its sources through the weights, of rounding the weights, and of the
  // division. Of a mean element; of the output, the worst.
  void propagate(std::size_t i, double prime) {
    const auto& stage = p_.stages[i];
    auto& out = out_.stages[i];
    auto e = stage.worst.empty() ? mean_errors(i) : worst_errors(i);
    if (stage.partial()) {
      const double switches = stage.most_rotated + static_cast<double>(stage.sums) / stage.outputs;
      e.noise += switches * switch_variance(i) / (out.affine_scale * out.affine_scale);
    }
    if (prime > 0) {
      const double digits = p_.levels.stages[i].limbs;
      e.noise += (rounding_variance(p_.ring, p_.n) +
                  key_switch_variance(p_.ring, p_.n, digits) * excess() / (prime * prime)) /
                 (out.scale * out.scale);
    }
    out.weight_rounding = std::sqrt(e.rounding);
    // Weights of their own at every position round independently: like noise.
    if (!stage.shared_weights) {
      e.noise += e.rounding;
      e.rounding = 0;
    }
    out.noise = std::sqrt(e.carried_noise + e.noise);
    out.rounding = std::sqrt(e.carried_rounding + e.rounding);
    out.added_noise = std::sqrt(e.noise);
    out.added_rounding = std::sqrt(e.rounding);
  }

  // A vector at scale T before its rescale must not wrap around the moduli it lives over; nor may the input.
  void check_heights() {
    const auto height = ckks::log2_products(out_.primes);
    if (bits_.input + 2 > height[p_.levels.limbs] - 1e-9)
      return refuse(0, "the input does not fit the moduli");
    for (std::size_t i = 0; i < p_.stages.size(); ++i) {
      const double most = height[p_.levels.stages[i].limbs] - 2 + 1e-9;
      const auto& vector = p_.network.vectors[i + 1];
      if (std::log2(out_.stages[i].affine_scale * coefficient_bound(vector, 1)) > most)
        return refuse(i, "its sums do not fit the moduli of its level");
      // What unused blocks hold may be larger than any element, and its square more so.
      for (const auto& s : p_.stages[i].sources)
        if (s.kind == SourceKind::square && p_.network.vectors[s.vector].unused_bound > 0 &&
            std::log2(source_scale(s) * coefficient_bound(p_.network.vectors[s.vector], 2)) > most)
          return refuse(i, "the squares in its unused blocks do not fit the moduli of its level");
    }
  }

  // Carried layer by layer, errors seem independent that are not (error_gains.h): the outputs' error is no
  // less than what each layer adds comes to by the gains of the network itself.
  void raise_to_measured_gains() {
    const auto& gains = p_.network.gains;
    if (gains.independent.empty()) return;
    double total = gains.independent[0] * squared(out_.input_error);
    for (std::size_t i = 0; i < p_.stages.size(); ++i)
      total += gains.independent[i + 1] * squared(out_.stages[i].added_noise) +
               gains.by_channel[i + 1] * squared(out_.stages[i].added_rounding);
    auto& last = out_.stages.back();
    if (total > squared(last.error())) last.noise = std::sqrt(total - squared(last.rounding));
  }

  void judge() {
    const std::size_t last = p_.stages.size() - 1;
    raise_to_measured_gains();
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
    const auto& gains = p_.network.gains;
    for (std::size_t v = 0; v < gains.independent.size(); ++v) {
      noise_gain[v] = std::max(noise_gain[v], gains.independent[v]);
      rounding_gain[v] = std::max(rounding_gain[v], gains.by_channel[v]);
    }
    double worst = noise_gain[0] * out_.input_error * out_.input_error;
    for (std::size_t i = 0; i < p_.stages.size(); ++i) {
      const auto& stage = out_.stages[i];
      const double share = noise_gain[i + 1] * stage.added_noise * stage.added_noise +
                           rounding_gain[i + 1] * stage.added_rounding * stage.added_rounding;
      if (share <= worst) continue;
      worst = share;
      out_.dominant = static_cast<int>(i);
      const double gain = p_.stages[i].shared_weights ? rounding_gain[i + 1] : noise_gain[i + 1];
      out_.weights_limit = 2 * gain * stage.weight_rounding * stage.weight_rounding > share;
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
