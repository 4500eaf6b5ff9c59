#include "plan/choose/parameters.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <tuple>

#include "base/parallel.h"
#include "ckks/core/parameters.h"
#include "kernels/types.h"

namespace velum::plan {

namespace {

// Precision beyond the target is worth having for nothing, up to here; after that fewer bytes are better.
constexpr double kWelcomePrecision = 5;
// Times closer than this are equal.
constexpr double kTimeGrain = 0.01;

struct Ranges {
  double input_low = 16, input_high = 30, first_low = 6, first_high = 14, weights_low = 8, weights_high = 15,
         values_low = 21, values_high = 38;
};

Ranges search_ranges(const Request& r) {
  Ranges s;
  // An encryption with the public key has some 8 bits of noise more.
  if (r.public_key) s.input_high += 8;
  if (r.input_bits) s.input_low = s.input_high = r.input_bits;
  if (r.weight_bits) s.first_low = s.first_high = s.weights_low = s.weights_high = r.weight_bits;
  if (r.scale_bits) s.values_low = s.values_high = r.scale_bits;
  return s;
}

double seconds_of(const std::vector<PlacedWork>& work, const RingSize& ring, const ScaleProblem& problem,
                  const Rates& rates) {
  double seconds =
      rates.seconds(input_work(problem.network.vectors[0].elements, problem.levels.vector_limbs[0], ring.n));
  for (const auto& w : work) seconds += cost_of(w.work, ring, rates).seconds;
  return seconds;
}

// One point of the search, with wanted primes, not yet true ones.
struct Candidate {
  ScaleBits bits;
  std::size_t special = 0;
  double excess = 0;
  double seconds = 0, precision = 0, input_bits = 0;
};

// All points that fit one ring, and why the nearest miss did not.
struct RingSearch {
  std::vector<Candidate> candidates;
  std::vector<Placement> placement;  // by number of special primes
  std::string problem;
  double closest = std::numeric_limits<double>::max();  // log2(QP) of the smallest that fits everything else
  double most_precise = -1;                             // among those that fit
  std::string limited_by;                               // of that one
  std::optional<Imprecise> fastest_imprecise;           // once settle_best has looked
  std::size_t tried = 0;

  // What was found after this, with the same placements.
  void add(RingSearch other) {
    candidates.insert(candidates.end(), other.candidates.begin(), other.candidates.end());
    if (problem.empty()) problem = std::move(other.problem);
    closest = std::min(closest, other.closest);
    if (other.most_precise > most_precise) {
      most_precise = other.most_precise;
      limited_by = std::move(other.limited_by);
    }
    tried += other.tried;
  }
};

double security_limit(std::size_t n, ckks::Security security) {
  return security == ckks::Security::none ? std::numeric_limits<double>::max()
                                          : ckks::max_log2_qp(n, security);
}

// A number of special primes, their size beyond a digit's, and the work that follows.
struct SpecialChoice {
  std::size_t special = 0;
  double excess = 0;
  std::vector<PlacedWork> work;
  std::map<std::uint64_t, double> seconds;  // of that work, by which moduli have three digits
};

// Whether anything is rotated: scales then depend on the special primes, and on what is relinearised where.
bool rotates(const std::vector<PackedStage>& stages) {
  return std::any_of(stages.begin(), stages.end(),
                     [](const auto& s) { return s.rotated > 0 || s.rotated_sums > 0; });
}

ScaleProblem with_choice(const ScaleProblem& problem, const Placement& placement, double excess) {
  ScaleProblem p{problem.network, problem.stages, problem.levels, problem.ring,
                 problem.n,       excess,         nullptr,        problem.public_key};
  p.squares_first = &placement.squares_first;
  return p;
}

// What most of the output's error comes from.
std::string limit_of(const Scaling& scaling, const std::vector<PackedStage>& stages) {
  if (scaling.dominant < 0) return "the noise of encryption, for which the ring has no more bits";
  const auto& stage = stages[static_cast<std::size_t>(scaling.dominant)];
  return fmt::format("layer '{}': {}", stage.name,
                     scaling.weights_limit
                         ? fmt::format("its weights have {:.0f} bits at most", 15 + stage.extra_bits)
                         : "its noise, for which the ring has no more bits");
}

// Judges one point with the scales that follow for these choices; what fits goes to found.candidates.
void try_choices(const ScaleProblem& problem, const Request& request, const ScaleBits& bits,
                 const Scaling& scaling, std::span<SpecialChoice> choices, RingSearch& found) {
  if (!scaling.feasible) {
    if (found.problem.empty()) found.problem = scaling.problem;
    return;
  }
  const auto n = static_cast<std::size_t>(problem.n);
  const double limit = security_limit(n, request.security);
  RingSize ring{n, 0, {}};
  const auto sizes = ckks::bits_of(scaling.primes);
  const double input_bits = ckks::log2_product(scaling.primes);
  std::uint64_t wide = 0;  // a bit a prime: whether its residues have three digits
  for (std::size_t l = 0; l < sizes.size(); ++l) {
    ring.digits.push_back(kernels::digit_count_of_bits(sizes[l]));
    wide |= std::uint64_t{ring.digits[l] == kernels::kMostDigits ? 1u : 0u} << (l % 64);
  }
  for (auto& [special, excess, work, seconds] : choices) {
    const double size = special ? ckks::largest_digit_bits(sizes, special) + excess : 0;
    if (special && size / static_cast<double>(special) > kLargestSpecialPrime) continue;
    // True primes lie a little off the wanted ones.
    const double log2_qp = input_bits + size + 0.02 * static_cast<double>(scaling.primes.size() + special);
    found.closest = std::min(found.closest, log2_qp);
    if (log2_qp > limit) continue;
    if (scaling.precision_bits > found.most_precise) {
      found.most_precise = scaling.precision_bits;
      found.limited_by = limit_of(scaling, problem.stages);
    }
    ring.special = special;
    const auto [known, fresh] = seconds.try_emplace(wide, 0.0);
    if (fresh) known->second = seconds_of(work, ring, problem, rates_of(request));
    found.candidates.push_back({bits, special, excess, known->second, scaling.precision_bits, input_bits});
  }
}

void try_point(const ScaleProblem& problem, const Request& request, const ScaleBits& bits,
               std::vector<SpecialChoice>& choices, RingSearch& found) {
  ++found.tried;
  if (!rotates(problem.stages)) {
    try_choices(problem, request, bits, assign_scales(problem, bits), choices, found);
    return;
  }
  // Choices that relinearise the same squares first, beside special primes of the same excess, have the same
  // scales.
  std::optional<Scaling> scaling;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    auto& c = choices[i];
    const auto& placement = found.placement[c.special];
    const bool same = i > 0 && c.excess == choices[i - 1].excess &&
                      placement.squares_first == found.placement[choices[i - 1].special].squares_first;
    if (!same) scaling = assign_scales(with_choice(problem, placement, c.excess), bits);
    try_choices(problem, request, bits, *scaling, std::span(&c, 1), found);
  }
}

void search_ring(const ScaleProblem& problem, const Request& request, RingSearch& found) {
  std::vector<SpecialChoice> choices;
  for (std::size_t special = 1; special <= 3; ++special) {
    auto placement = place_relinearisation(problem.stages, problem.levels,
                                           static_cast<std::size_t>(problem.n), special, rates_of(request));
    if (special > 1 && placement.switch_limbs <= special) continue;
    const std::size_t alpha = placement.switch_limbs ? special : 0;
    choices.push_back({alpha, 0, placed_work(problem.stages, problem.levels, placement), {}});
    found.placement.resize(alpha + 1);
    found.placement[alpha] = std::move(placement);
  }
  // The noise of a rotation falls by what special primes are larger than a digit. Few sizes are worth a
  // search, and a coarser grid of the others makes up for them.
  const bool rotating = rotates(problem.stages);
  const double step = rotating ? 2 : 1;
  if (rotating) {
    const auto sizes = choices.size();
    for (const double excess : {8.0, 16.0})
      for (std::size_t i = 0; i < sizes; ++i) {
        choices.push_back(choices[i]);
        choices.back().excess = excess;
      }
  }
  const auto r = search_ranges(request);
  const auto sizes = static_cast<std::size_t>(r.values_high - r.values_low) + 1;
  std::vector<RingSearch> parts(sizes);
  parallel_for(sizes, [&](std::size_t i, int worker) {
    if (request.tick && worker == 0) request.tick();
    const double values = r.values_low + static_cast<double>(i);
    auto own = choices;
    parts[i].placement = found.placement;
    for (double weights = r.weights_low; weights <= r.weights_high; ++weights)
      for (double first = r.first_low; first <= r.first_high; first += step)
        for (double input = r.input_low; input <= r.input_high; input += step)
          try_point(problem, request, {input, first, weights, values}, own, parts[i]);
  });
  for (auto& part : parts) found.add(std::move(part));
}

// True primes for a candidate, and all that follows. False where the real primes spoil it.
bool settle(Parameters& p, const Candidate& c, const RingSearch& found, const ScaleProblem& problem,
            const Request& request) {
  p.n = static_cast<std::size_t>(problem.n);
  p.special = c.special;
  p.excess = c.excess;
  p.bits = c.bits;
  p.placement = found.placement[c.special];
  p.limit = security_limit(p.n, request.security);
  const std::size_t final_limbs = problem.levels.stages.back().limbs;
  const auto settled = with_choice(problem, p.placement, p.excess);
  p.literal = choose_primes(assign_scales(settled, p.bits), final_limbs, p.special, p.excess, p.n, request);
  p.scaling = assign_scales(settled, p.bits, &p.literal.moduli);
  p.input_bits = ckks::log2_product(p.literal.moduli);
  p.log2_qp = ckks::log2_qp(p.literal);
  p.seconds = seconds_of(placed_work(problem.stages, problem.levels, p.placement), ring_size(p.literal),
                         problem, rates_of(request));
  return p.scaling.feasible && p.log2_qp <= p.limit && p.scaling.precision_bits >= request.precision_bits;
}

// Best first: time, then welcome precision, then bytes.
void sort_candidates(std::vector<Candidate>& all, double target) {
  double fastest = std::numeric_limits<double>::max();
  for (const auto& c : all) fastest = std::min(fastest, c.seconds);
  const auto rank = [&](const Candidate& c) {
    const double time = std::floor((c.seconds / fastest - 1) / kTimeGrain);
    const double precision = std::floor(4 * std::min(c.precision, target + kWelcomePrecision));
    return std::tuple{time, -precision, std::floor(c.input_bits), -c.precision};
  };
  std::stable_sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

std::string why_not(const RingSearch& s, double limit, const Request& request) {
  if (s.closest > limit && s.closest < 1e6)
    return fmt::format("log2(QP) would be {:.0f} at least, {:.0f} is allowed", s.closest, limit);
  if (s.most_precise >= 0)
    return fmt::format("precision reaches {:.1f} bits of {:.1f} wanted, most error comes from {}",
                       s.most_precise, request.precision_bits, s.limited_by);
  return s.problem.empty() ? "no scales fit" : s.problem;
}

// Why rings are not enough; rings with the same reason are one line.
class Refusals {
 public:
  void add(std::size_t n, const std::string& why, std::vector<std::string>& lines) {
    const bool same = !lines.empty() && why == why_;
    if (!same) first_ = n;
    why_ = why;
    const auto line =
        same ? fmt::format("N = {} to {}: {}", first_, n, why) : fmt::format("N = {}: {}", n, why);
    if (same)
      lines.back() = line;
    else
      lines.push_back(line);
  }

 private:
  std::size_t first_ = 0;
  std::string why_;
};

// A small result is the result after one more division, whose rounding takes part in its error: not where
// that would be seen in the precision asked for.
bool keeps_precision(const Request& request, double n) {
  constexpr double kRoom = 3;  // bits: a hundredth of a bit of the error
  const double rounding = std::log2(rounding_variance(request.ring, n)) / 2;
  return kTwoDigitPrime - 2 - rounding >= request.precision_bits + kRoom;
}

// Whether the network has a switching key in any case.
bool switches(const std::vector<PackedStage>& stages, const Levels& levels) {
  return levels.depth > 1 || rotates(stages);
}

// Whether the outputs' key switches take a small part of the time.
bool cheap_result(const std::vector<PackedStage>& stages, const Levels& levels, std::size_t n,
                  const Request& request) {
  constexpr double kMost = 0.1;
  const auto seconds = [&](const Levels& l) {
    const RingSize ring = ring_before_primes(n, 1, l.limbs);
    double sum = 0;
    for (const auto& w : placed_work(stages, l, place_relinearisation(stages, l, n, 1, rates_of(request))))
      sum += cost_of(w.work, ring, rates_of(request)).seconds;
    return sum;
  };
  return seconds(with_small_result(levels)) <= (1 + kMost) * seconds(levels);
}

// The ways to end the network that are worth a search in this ring. Where keys are needed anyway, a small
// result has the same moduli and is the only one; else its key may cost a larger ring, or time. Where small
// results are asked for they come first, and others only where this ring has no parameters for them.
std::vector<Levels> endings(const std::vector<PackedStage>& stages, const Levels& levels, std::size_t n,
                            const Request& request) {
  if (!may_have_small_result(stages, levels) || !keeps_precision(request, static_cast<double>(n)))
    return {levels};
  if (request.small_results) return {with_small_result(levels), levels};
  if (!cheap_result(stages, levels, n, request)) return {levels};
  if (switches(stages, levels)) return {with_small_result(levels)};
  return {levels, with_small_result(levels)};
}

// The best that one ring has for one ending.
struct Settled {
  Parameters best;
  std::optional<Parameters> other_special;
};
std::optional<Settled> settle_best(RingSearch& found, const ScaleProblem& problem, const Request& request) {
  auto& all = found.candidates;
  const auto precise = std::stable_partition(all.begin(), all.end(), [&](const auto& c) {
    return c.precision >= request.precision_bits + 0.05;  // room for the true primes
  });
  Settled result;
  for (auto c = precise; c != all.end(); ++c)
    if (!found.fastest_imprecise || c->seconds < found.fastest_imprecise->seconds)
      found.fastest_imprecise = Imprecise{c->seconds, c->precision};
  all.erase(precise, all.end());
  sort_candidates(all, request.precision_bits);
  for (const auto& c : all) {
    if (!settle(result.best, c, found, problem, request)) continue;
    result.best.small_result = problem.levels.small_result;
    for (const auto& other : all) {
      Parameters p;
      if (other.special == c.special || !settle(p, other, found, problem, request)) continue;
      result.other_special = std::move(p);
      break;
    }
    return result;
  }
  return std::nullopt;
}

}  // namespace

ParameterSearch search_parameters(const Network& network, const std::vector<PackedStage>& stages,
                                  const Levels& levels, const Request& request) {
  // A small result may take so much longer.
  constexpr double kSmallResultTime = 1.03;
  ParameterSearch result;
  Refusals refusals;
  double closest = 0, limit = 0;
  for (int log_n = request.min_log_n; log_n <= request.max_log_n; ++log_n) {
    const std::size_t n = std::size_t{1} << log_n;
    limit = security_limit(n, request.security);
    std::optional<Settled> best;
    RingSearch found;
    // A chain's moduli take 25 bits each at the very least; what they take hardly depends on the ring.
    found.closest = std::max(closest, kSmallestPrime * levels.limbs);
    const double least = found.closest;
    if (limit >= least)
      for (const auto& ending : endings(stages, levels, n, request)) {
        const ScaleProblem problem{
            network, stages, ending, request.ring, static_cast<double>(n), 0, nullptr, request.public_key};
        RingSearch search;
        search_ring(problem, request, search);
        result.tried += search.tried;
        auto settled = settle_best(search, problem, request);
        const bool first = !ending.small_result || switches(stages, levels);
        if (first) found = std::move(search);
        if (!settled) continue;
        if (request.small_results
                ? !best
                : first || (best && settled->best.seconds <= kSmallResultTime * best->best.seconds))
          best = std::move(settled);
      }
    if (found.most_precise > result.most_precise) {
      result.most_precise = found.most_precise;
      result.limited_by = found.limited_by;
    }
    closest = found.closest;
    if (found.fastest_imprecise) result.fastest_imprecise = found.fastest_imprecise;
    if (best) {
      result.best = std::move(best->best);
      if (result.fastest_imprecise && result.fastest_imprecise->seconds >= result.best.seconds)
        result.fastest_imprecise.reset();
      result.other_special = std::move(best->other_special);
      return result;
    }
    refusals.add(n, why_not(found, limit, request), result.smaller_rings);
  }
  const std::size_t largest = std::size_t{1} << request.max_log_n;
  if (closest > limit && levels.depth > 0) {
    const double each = closest / (levels.limbs + 1.0);
    const auto fits = static_cast<int>(std::floor(limit / each)) - 2;
    result.problem = fmt::format(
        "the network is too deep: {} squares follow one another and need log2(QP) = {:.0f} at N = {}, which "
        "allows {:.0f} at "
        "{} bits of security; about {} squares fit: use fewer activations, or a lower precision target than "
        "{} bits",
        levels.depth, closest, largest, limit, static_cast<int>(request.security), std::max(fits, 0),
        request.precision_bits);
    return result;
  }
  result.problem =
      fmt::format("no parameters fit the network: {}; {}check the ranges of the model (velum inspect)",
                  fmt::join(result.smaller_rings, "; "),
                  result.most_precise >= 1
                      ? fmt::format("ask for --precision {:.0f}, or ", std::floor(result.most_precise - 0.1))
                      : std::string());
  return result;
}

}  // namespace velum::plan
