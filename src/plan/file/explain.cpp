#include "plan/file/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"

namespace velum::plan {

namespace {

std::string bits_text(const std::vector<double>& primes) {
  std::string text;
  for (const double bits : ckks::bits_of(primes))
    text += fmt::format("{}{:.1f}", text.empty() ? "" : " ", bits);
  return text;
}

std::string seconds_text(double s) {
  return format_duration(s) + " on one thread";
}

std::string layer_name(const std::vector<PackedStage>& stages, int stage) {
  return stage < 0 ? std::string("encryption")
                   : "layer '" + stages[static_cast<std::size_t>(stage)].name + "'";
}

Choice explain_relinearisation(const std::vector<PackedStage>& stages, const Levels& levels,
                               const Parameters& p, const Rates& rates) {
  std::size_t before = 0, after = 0;
  double worst = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!levels.stages[i].rescales || !stages[i].squares()) continue;
    (p.placement.squares_first[i] ? before : after) += 1;
  }
  // The runner-up: every stage the other way, where both are possible.
  auto other = p.placement;
  other.squared.assign(other.squared.size(), {});
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!levels.stages[i].rescales || !stages[i].squares()) continue;
    other.squares_first[i] = !p.placement.squares_first[i];
    if (!other.squares_first[i]) continue;
    for (const auto& s : stages[i].sources)
      if (s.kind == SourceKind::square) other.squared[s.vector] = s.elements;
  }
  const RingSize ring = ring_before_primes(p.n, p.special, levels.limbs);
  for (const auto& w : placed_work(stages, levels, other)) worst += cost_of(w.work, ring, rates).seconds;
  double chosen = 0;
  for (const auto& w : placed_work(stages, levels, p.placement))
    chosen += cost_of(w.work, ring, rates).seconds;
  return {"relinearisation", fmt::format("{} layers after their affine map, {} before", after, before),
          "on whichever side there are fewer ciphertexts to switch, the third polynomial's products counted",
          fmt::format("all the other way round: {} against {}", seconds_text(worst), seconds_text(chosen))};
}

}  // namespace

std::vector<Choice> explain_choices(const ServerPlan& plan, const std::vector<PackedStage>& stages,
                                    const Levels& levels, const ParameterSearch& search,
                                    const Schedule& schedule, const Request& request) {
  const auto& best = search.best;
  std::vector<Choice> choices;
  choices.push_back(
      {"ring", fmt::format("{}, N = {}", ring::name(request.ring), best.n),
       fmt::format("the smallest that holds {} moduli within log2(QP) = {:.0f}; this plan takes {:.1f}",
                   levels.limbs, std::min(best.limit, 99999.0), best.log2_qp),
       search.smaller_rings.empty() ? std::string("none smaller is allowed") : search.smaller_rings.back()});
  choices.push_back({"moduli", fmt::format("{} of {} bits", levels.limbs, bits_text(best.scaling.primes)),
                     fmt::format("one for each rescale, so that every scale returns to 2^{:.0f} over its "
                                 "bound; the result needs {:.1f} bits",
                                 best.bits.values, best.scaling.final_bits),
                     fmt::format("{} combinations of scales were tried", search.tried)});
  choices.push_back(
      {"scales",
       fmt::format("input 2^{:.0f}, weights {:.0f} bits first and {:.0f} after, values 2^{:.0f}",
                   best.bits.input, best.bits.first_weights, best.bits.weights, best.bits.values),
       fmt::format("predicted precision {:.1f} bits of {:.1f} asked, most error from {}",
                   best.scaling.precision_bits, request.precision_bits,
                   layer_name(stages, best.scaling.dominant)),
       search.fastest_imprecise
           ? fmt::format("{} with only {:.1f} bits of precision",
                         seconds_text(search.fastest_imprecise->seconds), search.fastest_imprecise->precision)
           : std::string("nothing faster at lower precision")});
  if (best.special)
    choices.push_back(
        {"special primes",
         fmt::format("{} of {:.1f} bits", best.special,
                     ckks::log2_product(best.literal.special) / static_cast<double>(best.special)),
         fmt::format("key switches over {} digits; predicted {}",
                     ckks::digit_count(best.placement.switch_limbs, best.special),
                     seconds_text(best.seconds)),
         search.other_special
             ? fmt::format("{} special primes: {}, log2(QP) {:.1f}", search.other_special->special,
                           seconds_text(search.other_special->seconds), search.other_special->log2_qp)
             : std::string("no other number fits")});
  choices.push_back(explain_relinearisation(stages, levels, best, rates_of(request)));
  if (levels.rescale_first)
    choices.push_back({"first layer", "rescaled, with a modulus of its own",
                       "the first square then starts from a value as small as the others",
                       "without: too little precision, or a slower ring"});
  std::uint64_t lifted = 0, squared = 0;
  for (const auto& s : stages)
    for (const auto& source : s.sources) {
      if (source.kind == SourceKind::square)
        squared += source.elements.size();
      else if (source.vector != 0 && levels.vector_degree[source.vector] == 1)
        lifted += source.elements.size();
    }
  if (squared)
    choices.push_back({"squares", fmt::format("{} squares, {} of plain x beside them", squared, lifted),
                       "a quadratic becomes a bare square by completing it; where the shift would drown x, x "
                       "is carried beside x^2",
                       "carrying x beside every square: twice the inputs"});
  choices.push_back({"tasks",
                     fmt::format("{} tasks, peak {}", plan.tasks.size(),
                                 format_bytes(static_cast<double>(schedule.peak_bytes))),
                     schedule.halvings ? fmt::format("cut {} times to fit the memory", schedule.halvings)
                                       : std::string("as many rows a task as its panel fits the cache"),
                     schedule.halvings ? fmt::format("larger tasks: {}",
                                                     format_bytes(static_cast<double>(schedule.untiled_peak)))
                                       : std::string("smaller tasks would read inputs more often")});
  return choices;
}

std::string explain_text(const PlanResult& result) {
  std::string text;
  for (const auto& c : result.choices)
    text += fmt::format("{}: {}\n  because {}\n  runner-up: {}\n", c.what, c.chosen, c.why, c.runner_up);
  if (result.options.size() > 1) text += "packings that fit:\n";
  for (const auto& o : result.options) {
    if (result.options.size() == 1) break;
    text += fmt::format(
        "  {:>5} blocks, N = {:>5}, {:>5} images a batch: {} for the job, {:.3f} ms an image, {} memory, "
        "keys {}, input {} an image ({})\n",
        o.blocks, o.n, o.images_per_batch, format_duration(o.seconds), 1e3 * o.seconds_per_image,
        format_bytes(static_cast<double>(o.peak_bytes)), format_bytes(static_cast<double>(o.key_bytes)),
        format_bytes(o.input_bytes_per_image), o.what);
  }
  text += fmt::format("rates: {}\n", result.rates_origin);
  for (const auto& n : result.notes) text += fmt::format("note: {}\n", n);
  return text;
}

}  // namespace velum::plan
