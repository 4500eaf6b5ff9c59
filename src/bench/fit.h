// Rates from timings of steps of known work.
#pragma once

#include <string>
#include <vector>

#include "plan/schedule/rates.h"

namespace velum::bench {

struct Observation {
  plan::Work work{};
  double seconds = 0;  // of one thread
};

// Observations of one evaluation, those of one name together, in the order in which names first appear. In
// blocks a layer is dozens of steps, most of them small: each counted on its own, they would decide the
// rates.
struct NamedObservation {
  std::string name;
  Observation observation;
};
std::vector<NamedObservation> added_by_name(const std::vector<NamedObservation>& observations);

// What is believed before: a rate for each term, and how far off it may be (a standard deviation of its
// logarithm).
struct Belief {
  plan::Rates rates;
  std::array<double, plan::kTerms> deviation{};
};

// The most probable rates: the sum of squares of the logarithms of predicted over observed seconds, and of
// the rates over those believed, each against its deviation, is the least. A rate that no observation depends
// on stays as it was.
plan::Rates fit_rates(const Belief& belief, const std::vector<Observation>& observations,
                      double observed_deviation = 0.05);

}  // namespace velum::bench
