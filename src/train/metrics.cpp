#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace velum::train {

double area_under_roc(std::span<const double> scores, const std::vector<bool>& positive) {
  // Mann-Whitney: the sum of the positives' ranks, ties sharing their mean rank.
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t l, std::size_t r) { return scores[l] < scores[r]; });
  double rank_sum = 0, positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i;
    while (j < order.size() && scores[order[j]] == scores[order[i]]) ++j;
    const double rank = (static_cast<double>(i + 1) + static_cast<double>(j)) / 2;
    for (; i < j; ++i)
      if (positive[order[i]]) {
        rank_sum += rank;
        positives += 1;
      }
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  if (positives == 0 || negatives == 0) return 0.5;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

Metrics measure(std::span<const float> logits, std::span<const std::int64_t> labels, std::int64_t classes) {
  const auto k = static_cast<std::size_t>(classes);
  const auto n = labels.size();
  Metrics m;
  m.confusion.assign(k * k, 0);
  std::vector<std::vector<double>> probability(k, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) {
    const auto row = logits.subspan(i * k, k);
    const auto top = std::max_element(row.begin(), row.end());
    ++m.confusion[static_cast<std::size_t>(labels[i]) * k + static_cast<std::size_t>(top - row.begin())];
    double sum = 0;
    for (std::size_t c = 0; c < k; ++c)
      sum += probability[c][i] = std::exp(static_cast<double>(row[c]) - static_cast<double>(*top));
    for (std::size_t c = 0; c < k; ++c) probability[c][i] /= sum;
  }
  double right = 0;
  for (std::size_t c = 0; c < k; ++c) {
    double actual = 0, predicted = 0;
    for (std::size_t j = 0; j < k; ++j) {
      actual += static_cast<double>(m.confusion[c * k + j]);
      predicted += static_cast<double>(m.confusion[j * k + c]);
    }
    const auto hit = static_cast<double>(m.confusion[c * k + c]);
    right += hit;
    m.f1.push_back(actual + predicted > 0 ? 2 * hit / (actual + predicted) : 0);
  }
  m.accuracy = n ? right / static_cast<double>(n) : 0;
  m.macro_f1 = std::accumulate(m.f1.begin(), m.f1.end(), 0.0) / static_cast<double>(k);
  double area = 0;
  const std::size_t first = k == 2 ? 1 : 0;
  for (std::size_t c = first; c < k; ++c) {
    std::vector<bool> positive(n);
    for (std::size_t i = 0; i < n; ++i) positive[i] = static_cast<std::size_t>(labels[i]) == c;
    area += area_under_roc(probability[c], positive);
  }
  m.auc = area / static_cast<double>(k - first);
  return m;
}

}  // namespace velum::train
