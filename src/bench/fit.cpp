#include "bench/fit.h"

#include <algorithm>
#include <cmath>

#include "plan/steps.h"

namespace velum::bench {

namespace {

using plan::kTerms;
using Vector = std::array<double, kTerms>;
using Matrix = std::array<Vector, kTerms>;

// Solves a x = b for symmetric positive definite a, by Cholesky; a is spoilt.
Vector solve(Matrix& a, Vector b) {
  for (std::size_t i = 0; i < kTerms; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      a[i][j] = i == j ? std::sqrt(sum) : sum / a[j][j];
    }
  }
  for (std::size_t i = 0; i < kTerms; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
    b[i] /= a[i][i];
  }
  for (std::size_t i = kTerms; i-- > 0;) {
    for (std::size_t k = i + 1; k < kTerms; ++k) b[i] -= a[k][i] * b[k];
    b[i] /= a[i][i];
  }
  return b;
}

}  // namespace

std::vector<NamedObservation> added_by_name(const std::vector<NamedObservation>& observations) {
  std::vector<NamedObservation> sums;
  for (const auto& [step, o] : observations) {
    const auto name =
        step.ends_with(plan::kPartial) ? step.substr(0, step.size() - plan::kPartial.size()) : step;
    auto sum = std::ranges::find(sums, name, &NamedObservation::name);
    if (sum == sums.end()) sum = sums.insert(sum, {name, {}});
    for (std::size_t t = 0; t < kTerms; ++t) sum->observation.work[t] += o.work[t];
    sum->observation.seconds += o.seconds;
  }
  return sums;
}

// Gauss and Newton on the logarithms of the rates.
plan::Rates fit_rates(const Belief& belief, const std::vector<Observation>& observations,
                      double observed_deviation) {
  constexpr int kRounds = 60;
  constexpr double kLargestStep = 0.5;
  Vector offset{};  // of the logarithm of a unit's time
  auto rates = belief.rates;
  for (int round = 0; round < kRounds; ++round) {
    Matrix a{};
    Vector b{};
    for (std::size_t t = 0; t < kTerms; ++t) {
      const double weight = 1 / (belief.deviation[t] * belief.deviation[t]);
      a[t][t] = weight;
      b[t] = -weight * offset[t];
    }
    const double weight = 1 / (observed_deviation * observed_deviation);
    for (const auto& o : observations) {
      const double predicted = rates.seconds(o.work);
      if (!(predicted > 0) || !(o.seconds > 0)) continue;
      const double residual = std::log(predicted / o.seconds);
      Vector share;
      for (std::size_t t = 0; t < kTerms; ++t) share[t] = o.work[t] / rates.per_second[t] / predicted;
      for (std::size_t i = 0; i < kTerms; ++i) {
        b[i] -= weight * share[i] * residual;
        for (std::size_t j = 0; j < kTerms; ++j) a[i][j] += weight * share[i] * share[j];
      }
    }
    const auto step = solve(a, b);
    double largest = 0;
    for (std::size_t t = 0; t < kTerms; ++t) {
      const double move = std::clamp(step[t], -kLargestStep, kLargestStep);
      offset[t] += move;
      largest = std::max(largest, std::abs(move));
      rates.per_second[t] = belief.rates.per_second[t] * std::exp(-offset[t]);
    }
    if (largest < 1e-6) break;
  }
  return rates;
}

}  // namespace velum::bench
