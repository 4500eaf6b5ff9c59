#include "plan/choose/variants.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "base/units.h"
#include "plan/choose/precision.h"
#include "plan/lower/composition.h"
#include "plan/lower/sums.h"

namespace velum::plan {

namespace {

std::vector<PackedStage> pack_all(const Network& network) {
  std::vector<PackedStage> stages(network.stages.size());
  parallel_for(stages.size(), [&](std::size_t i, int) { stages[i] = pack(network, i); });
  return stages;
}

// Levels and parameters of the request's precision; the problem where there are none.
std::optional<std::string> search_levels(Variant& v, const Request& request) {
  v.levels = assign_levels(v.stages);
  v.precision_bits = request.precision_bits;
  v.search = search_parameters(v.network, v.stages, v.levels, request);
  const bool found = v.search.problem.empty();
  const auto outcome = [&v](const ParameterSearch& s) {
    if (s.problem.empty() && s.best.small_result) v.levels = with_small_result(std::move(v.levels));
    return s.problem.empty() ? std::nullopt : std::optional(s.problem);
  };
  // A rescale after the first layer: for what the shorter chain cannot do in this ring, or at all.
  if (v.levels.depth == 0 || (found && v.search.smaller_rings.empty())) return outcome(v.search);
  auto levels = assign_levels(v.stages, true);
  auto longer = search_parameters(v.network, v.stages, levels, request);
  // Where neither does, the refusal is that of the chain that comes closer.
  if (!longer.problem.empty()) {
    if (!found && longer.most_precise > v.search.most_precise) v.search = std::move(longer);
    return outcome(v.search);
  }
  if (found && longer.best.seconds / static_cast<double>(longer.best.n) >= v.rate()) return outcome(v.search);
  v.levels = std::move(levels);
  v.search = std::move(longer);
  return outcome(v.search);
}

// The most precise parameters there are, in place of `asked`; false and `problem` where that is too little.
bool accept_less(Variant& v, Request asked, const model::Graph& graph, std::string& problem) {
  constexpr double kStep = 0.25;  // true primes may miss what was found with wanted ones
  const double best = v.search.most_precise;
  const double below =
      own_precision(v.network.vectors.back().bound, typical_output(graph, v.network), 0) - kTypicalBits;
  const auto limited_by = v.search.limited_by;
  for (double target = std::min(best - 0.1, asked.precision_bits - 0.1); target >= below + kLeastTypicalBits;
       target -= kStep) {
    asked.precision_bits = target;
    if (search_levels(v, asked)) continue;
    v.limited_by = limited_by;
    return true;
  }
  if (best >= 0 && best < below + kLeastTypicalBits)
    problem += fmt::format("; {:.1f} bits would leave {:.1f} of a typical output: expected at least {:.0f}",
                           best, std::max(0.0, best - below), kLeastTypicalBits);
  return false;
}

}  // namespace

Variant search_variant(const model::Graph& graph, Network network, const Request& request,
                       Shortfall shortfall) {
  constexpr double kLeastRaise = 0.5;
  Variant v;
  v.network = std::move(network);
  v.stages = pack_all(v.network);
  auto asked = request;
  if (request.precision_bits <= 0) {
    // Where that is too much, what the search came to: a little less each time, as true primes may miss it.
    double less = 0.25;
    for (double raise =
             own_precision(v.network.vectors.back().bound, typical_output(graph, v.network)) - kBoundBits;
         raise >= kLeastRaise; less *= 2) {
      asked.precision_bits = kBoundBits + raise;
      if (!search_levels(v, asked)) return v;
      const double reached = v.search.most_precise - kBoundBits;
      raise = reached >= kLeastRaise ? std::min(raise, reached) - less : raise / 2;
    }
    asked.precision_bits = kBoundBits;
  }
  if (auto problem = search_levels(v, asked)) {
    if (request.precision_bits > 0 || shortfall == Shortfall::refused ||
        !accept_less(v, asked, graph, *problem))
      fail_user("{}", *problem);
  }
  return v;
}

Variant best_variant(const model::Graph& graph, const Request& request, std::optional<Choice>& choice,
                     Shortfall shortfall) {
  if (!any_pool_of_sums(graph)) return search_variant(graph, lower(graph), request, shortfall);
  std::optional<Variant> kept;
  std::string problem;
  try {
    kept = search_variant(graph, lower(graph, Pools::sums), request, shortfall);
  } catch (const Error& e) {
    problem = e.what();
  }
  if (!kept) {
    auto composed = search_variant(graph, lower(graph), request, shortfall);
    choice = {"pools", "composed with the layers that follow", "kept as steps they do not fit", problem};
    return composed;
  }
  // Weights decide the time, and the memory that planning takes: what has many times as many is not tried.
  constexpr std::uint64_t kTooMany = 3, kFew = 10'000'000;
  const auto weights = count_weights(kept->network);
  if (weights.composed > kFew && weights.composed > kTooMany * weights.kept) {
    choice = {"pools", "kept as steps that add up squares",
              "the layers that follow read one sum instead of a window of squares",
              fmt::format("composed: {:.1f} times as many products, not planned",
                          static_cast<double>(weights.composed) / static_cast<double>(weights.kept))};
    return std::move(*kept);
  }
  std::optional<Variant> composed;
  try {
    composed = search_variant(graph, lower(graph), request, shortfall);
  } catch (const Error& e) {
    problem = e.what();
  }
  const auto seconds = [](const Variant& v) {
    return format_duration(v.search.best.seconds) + " on one thread";
  };
  const bool keep = !composed || kept->rate() <= composed->rate();
  choice =
      Choice{"pools", keep ? "kept as steps that add up squares" : "composed with the layers that follow",
             keep ? "the layers that follow read one sum instead of a window of squares: " + seconds(*kept)
                  : "it is faster: " + seconds(*composed),
             !composed ? "composed: " + problem
             : keep    ? "composed: " + seconds(*composed)
                       : "kept: " + seconds(*kept)};
  return keep ? std::move(*kept) : std::move(*composed);
}

}  // namespace velum::plan
