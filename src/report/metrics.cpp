#include "report/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/error.h"

namespace velum::report {

namespace {

// Differences of two stay finite.
constexpr double kHuge = std::numeric_limits<double>::max() / 4;

double finite(double x) {
  return std::isnan(x) ? -kHuge : std::clamp(x, -kHuge, kHuge);
}

double share(std::size_t part, std::size_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

// The images from the highest score to the lowest, those of equal score together.
struct Level {
  std::size_t positives = 0, negatives = 0;
};
std::vector<Level> levels(std::span<const double> scores, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](auto a, auto b) { return finite(scores[a]) > finite(scores[b]); });
  std::vector<Level> all;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || finite(scores[order[i]]) != finite(scores[order[i - 1]])) all.emplace_back();
    ++(positive[order[i]] ? all.back().positives : all.back().negatives);
  }
  return all;
}

Level total(const std::vector<Level>& all) {
  Level sum;
  for (const auto& level : all) sum.positives += level.positives, sum.negatives += level.negatives;
  return sum;
}

// Of all pairs of a positive and a negative, those that the positive wins, ties counting half. Twice that
// number is whole, so the result does not depend on rounding.
std::optional<double> area(const std::vector<Level>& all) {
  const auto sum = total(all);
  if (sum.positives == 0 || sum.negatives == 0) return std::nullopt;
  double twice_won = 0;
  std::size_t below = sum.negatives;
  for (const auto& level : all) {
    below -= level.negatives;
    twice_won += static_cast<double>(level.positives) * static_cast<double>(2 * below + level.negatives);
  }
  return twice_won / (2 * static_cast<double>(sum.positives) * static_cast<double>(sum.negatives));
}

std::vector<RocPoint> curve(const std::vector<Level>& all) {
  const auto sum = total(all);
  if (sum.positives == 0 || sum.negatives == 0) return {};
  std::vector<RocPoint> points{{0, 0}};
  std::vector<Level> steps;  // between the points kept
  Level at;
  for (const auto& level : all) {
    at.positives += level.positives, at.negatives += level.negatives;
    const RocPoint point{share(at.negatives, sum.negatives), share(at.positives, sum.positives)};
    // In the direction of the last step: the point between the two says nothing.
    if (!steps.empty() &&
        steps.back().positives * level.negatives == level.positives * steps.back().negatives) {
      points.back() = point;
    } else {
      points.push_back(point);
      steps.push_back(level);
    }
  }
  return points;
}

// How far a drawn curve may be off at a point: the closer to the upper left corner, the larger it is looked
// at.
double tolerance_at(const RocPoint& p) {
  constexpr double kRounding = 1e-5;
  return std::clamp(0.005 * std::hypot(p.false_positive, 1 - p.true_positive), kRounding, 0.001 - kRounding);
}

// Marks the points of a rising curve that are further from the line that would replace them than may be
// (Ramer, Douglas and Peucker).
void keep_needed(const std::vector<RocPoint>& curve, std::size_t first, std::size_t last,
                 std::vector<bool>& kept) {
  if (last <= first + 1) return;
  const auto &a = curve[first], &b = curve[last];
  const double dx = b.false_positive - a.false_positive, dy = b.true_positive - a.true_positive;
  const double length = std::hypot(dx, dy);
  std::size_t worst = first;
  double largest = 1;  // times what is allowed there
  for (std::size_t i = first + 1; i < last; ++i) {
    const double away = std::abs(dy * (curve[i].false_positive - a.false_positive) -
                                 dx * (curve[i].true_positive - a.true_positive)) /
                        length / tolerance_at(curve[i]);
    if (away > largest) largest = away, worst = i;
  }
  if (worst == first) return;
  kept[worst] = true;
  keep_needed(curve, first, worst, kept);
  keep_needed(curve, worst, last, kept);
}

void measure_class(ClassMetrics& c, std::size_t hits) {
  c.precision = share(hits, c.predicted);
  c.recall = share(hits, c.images);
  c.f1 = share(2 * hits, c.images + c.predicted);
}

}  // namespace

std::int32_t predicted_class(std::span<const double> outputs, double cut) {
  if (outputs.size() == 1) return outputs[0] > cut ? 1 : 0;
  std::size_t best = 0;
  for (std::size_t c = 1; c < outputs.size(); ++c)
    if (finite(outputs[c]) > finite(outputs[best])) best = c;
  return static_cast<std::int32_t>(best);
}

std::vector<std::int32_t> predicted_classes(std::span<const double> outputs, std::size_t width, double cut) {
  std::vector<std::int32_t> classes(outputs.size() / width);
  for (std::size_t i = 0; i < classes.size(); ++i)
    classes[i] = predicted_class(outputs.subspan(i * width, width), cut);
  return classes;
}

double agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return a.empty() ? 1 : share(equal, a.size());
}

std::vector<Mistake> most_frequent_mistakes(const Metrics& m, std::size_t count) {
  std::vector<Mistake> all;
  for (std::size_t t = 0; t < m.classes.size(); ++t)
    for (std::size_t p = 0; p < m.classes.size(); ++p)
      if (t != p && m.confusion[t][p] > 0) all.push_back({t, p, m.confusion[t][p]});
  std::ranges::stable_sort(all, [](const auto& a, const auto& b) { return a.images > b.images; });
  all.resize(std::min(all.size(), count));
  return all;
}

double macro_f1(std::span<const std::int32_t> labels, std::span<const std::int32_t> predicted) {
  struct Counts {
    std::size_t hits = 0, either = 0;  // `either`: those of the class and those taken for it
  };
  std::map<std::int32_t, Counts> classes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ++classes[labels[i]].either;
    ++classes[predicted[i]].either;
    classes[labels[i]].hits += labels[i] == predicted[i];
  }
  double sum = 0;
  for (const auto& [label, counts] : classes) sum += share(2 * counts.hits, counts.either);
  return classes.empty() ? 0 : sum / static_cast<double>(classes.size());
}

Deviation deviation(std::span<const double> reference, std::span<const double> outputs) {
  Deviation d;
  double largest = 0, squared = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double error = std::abs(reference[i] - outputs[i]);
    d.max_abs = std::max(d.max_abs, error);
    squared += error * error;
    largest = std::max(largest, std::abs(reference[i]));
  }
  const double rms = std::sqrt(squared / static_cast<double>(reference.size()));
  d.precision_bits = rms > 0 && largest > 0 ? -std::log2(rms / largest) : 53;
  return d;
}

double class_score(std::span<const double> outputs, std::size_t c) {
  if (outputs.size() == 1) return c == 1 ? finite(outputs[0]) : -finite(outputs[0]);
  double largest = -kHuge;
  for (std::size_t j = 0; j < outputs.size(); ++j)
    if (j != c) largest = std::max(largest, finite(outputs[j]));
  double sum = 0;
  for (std::size_t j = 0; j < outputs.size(); ++j)
    if (j != c) sum += std::exp(finite(outputs[j]) - largest);
  return finite(outputs[c]) - largest - std::log(sum);
}

std::optional<double> area_under_roc(std::span<const double> scores, const std::vector<bool>& positive) {
  return area(levels(scores, positive));
}

std::vector<RocPoint> roc_curve(std::span<const double> scores, const std::vector<bool>& positive) {
  return curve(levels(scores, positive));
}

Metrics measure(std::span<const double> outputs, std::size_t width, std::span<const std::int32_t> labels,
                const std::vector<std::string>& names, double cut) {
  const auto images = labels.size(), classes = std::max<std::size_t>(width, 2);
  if (width == 0 || outputs.size() != images * width)
    fail_user("{} outputs for {} labels: expected {} an image", outputs.size(), images, width);
  for (std::size_t i = 0; i < images; ++i)
    if (labels[i] < 0 || static_cast<std::size_t>(labels[i]) >= classes)
      fail_user(
          "image {} has label {}, the network tells {} classes apart (0 to {}); correct the labels, or take "
          "the "
          "data set that the network was made for",
          i, labels[i], classes, classes - 1);

  Metrics m;
  m.images = images;
  m.classes.resize(classes);
  m.confusion.assign(classes, std::vector<std::size_t>(classes));
  const auto predicted = predicted_classes(outputs, width, cut);
  for (std::size_t i = 0; i < images; ++i) {
    const auto truth = static_cast<std::size_t>(labels[i]), said = static_cast<std::size_t>(predicted[i]);
    ++m.confusion[truth][said];
    ++m.classes[truth].images;
    ++m.classes[said].predicted;
    const auto row = outputs.subspan(i * width, width);
    m.not_finite += !std::ranges::all_of(row, [](double x) { return std::isfinite(x); });
  }
  m.accuracy = agreement(predicted, labels);

  double f1_sum = 0, f1_count = 0, area_sum = 0, area_count = 0;
  std::vector<double> scores(images);
  std::vector<bool> positive(images);
  for (std::size_t c = 0; c < classes; ++c) {
    auto& one = m.classes[c];
    one.name = c < names.size() ? names[c] : std::to_string(c);
    measure_class(one, m.confusion[c][c]);
    if (one.images + one.predicted > 0) f1_sum += one.f1, ++f1_count;
    if (one.images == 0 || one.images == images) continue;
    for (std::size_t i = 0; i < images; ++i) {
      scores[i] = class_score(outputs.subspan(i * width, width), c);
      positive[i] = labels[i] == static_cast<std::int32_t>(c);
    }
    const auto ranked = levels(scores, positive);
    one.auc = area(ranked);
    one.roc = curve(ranked);
    area_sum += *one.auc, ++area_count;
  }
  if (f1_count > 0) m.macro_f1 = f1_sum / f1_count;
  if (area_count > 0) m.auc = area_sum / area_count;
  return m;
}

Metrics thinned(Metrics metrics) {
  constexpr double kSteps = 1e5;  // five decimals
  for (auto& c : metrics.classes) {
    if (c.roc.empty()) continue;
    std::vector<bool> kept(c.roc.size());
    kept.front() = kept.back() = true;
    keep_needed(c.roc, 0, c.roc.size() - 1, kept);
    std::vector<RocPoint> points;
    for (std::size_t i = 0; i < c.roc.size(); ++i)
      if (kept[i])
        points.push_back({std::round(c.roc[i].false_positive * kSteps) / kSteps,
                          std::round(c.roc[i].true_positive * kSteps) / kSteps});
    c.roc = std::move(points);
  }
  return metrics;
}

}  // namespace velum::report
