#include "cli/predictions.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.h"

namespace velum::cli {

namespace {

// The share of one class in the softmax of the outputs; the logistic function of a single one.
double probability(std::span<const double> outputs, std::size_t c) {
  if (outputs.size() == 1) {
    const double p = 1 / (1 + std::exp(-outputs[0]));
    return c == 1 ? p : 1 - p;
  }
  const double largest = *std::ranges::max_element(outputs);
  double sum = 0;
  for (const double x : outputs) sum += std::exp(x - largest);
  return std::exp(outputs[c] - largest) / sum;
}

// The chance that a positive scores above a negative (ties count half), by ranks. Both kinds must occur.
double area_under_curve(std::span<const double> scores, const std::vector<bool>& positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](auto a, auto b) { return scores[a] < scores[b]; });
  double rank_sum = 0, positives = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    auto end = begin;
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (auto i = begin; i < end; ++i)
      if (positive[order[i]]) rank_sum += rank, ++positives;
    begin = end;
  }
  const double negatives = static_cast<double>(scores.size()) - positives;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace

std::int32_t predicted_class(std::span<const double> outputs) {
  if (outputs.size() == 1) return outputs[0] > 0 ? 1 : 0;
  return static_cast<std::int32_t>(std::ranges::max_element(outputs) - outputs.begin());
}

std::vector<std::int32_t> predicted_classes(std::span<const double> outputs, std::size_t width) {
  std::vector<std::int32_t> classes(outputs.size() / width);
  for (std::size_t i = 0; i < classes.size(); ++i)
    classes[i] = predicted_class(outputs.subspan(i * width, width));
  return classes;
}

std::string predictions_csv(std::span<const double> outputs, std::size_t width,
                            std::span<const std::int32_t> labels) {
  std::string text = "index,predicted,true";
  auto at = std::back_inserter(text);
  for (std::size_t o = 0; o < width; ++o) fmt::format_to(at, ",output_{}", o);
  text += '\n';
  for (std::size_t i = 0; i < outputs.size() / width; ++i) {
    const auto row = outputs.subspan(i * width, width);
    fmt::format_to(at, "{},{},", i, predicted_class(row));
    if (!labels.empty()) fmt::format_to(at, "{}", labels[i]);
    for (const double x : row) fmt::format_to(at, ",{:.6g}", x);
    text += '\n';
  }
  return text;
}

Quality measure(std::span<const double> outputs, std::size_t width, std::span<const std::int32_t> labels,
                const std::vector<std::string>& classes) {
  Quality q;
  q.images = labels.size();
  const auto predicted = predicted_classes(outputs, width);
  std::size_t count = std::max<std::size_t>(width, 2);
  for (const auto label : labels) {
    if (label < 0) fail_user("label {} is negative", label);
    count = std::max(count, static_cast<std::size_t>(label) + 1);
  }
  q.confusion.assign(count, std::vector<std::size_t>(count));
  for (std::size_t i = 0; i < labels.size(); ++i)
    ++q.confusion[static_cast<std::size_t>(labels[i])][static_cast<std::size_t>(predicted[i])];
  for (std::size_t c = 0; c < count; ++c)
    q.classes.push_back(c < classes.size() ? classes[c] : std::to_string(c));
  q.accuracy = agreement(predicted, labels);

  q.f1.assign(count, 0);
  double occurring = 0, ranked = 0;
  std::vector<double> scores(labels.size());
  std::vector<bool> positive(labels.size());
  for (std::size_t c = 0; c < count; ++c) {
    std::size_t truly = 0, said = 0;
    for (std::size_t other = 0; other < count; ++other)
      truly += q.confusion[c][other], said += q.confusion[other][c];
    if (truly + said > 0)
      q.f1[c] = 2 * static_cast<double>(q.confusion[c][c]) / static_cast<double>(truly + said);
    if (truly == 0) continue;
    occurring += 1;
    q.macro_f1 += q.f1[c];
    if (truly == labels.size() || c >= std::max<std::size_t>(width, 2)) continue;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      scores[i] = probability(outputs.subspan(i * width, width), c);
      positive[i] = labels[i] == static_cast<std::int32_t>(c);
    }
    ranked += 1;
    q.auc += area_under_curve(scores, positive);
  }
  if (occurring > 0) q.macro_f1 /= occurring;
  if (ranked > 0) q.auc /= ranked;
  return q;
}

std::string to_text(const Quality& q) {
  std::string text = fmt::format("images    {}\naccuracy  {:.2f} %\nmacro F1  {:.4f}\nAUC       {:.4f}\n\n",
                                 q.images, 100 * q.accuracy, q.macro_f1, q.auc);
  std::vector<std::vector<std::string>> rows(1);
  rows[0] = {"true \\ predicted"};
  for (const auto& name : q.classes) rows[0].push_back(name);
  rows[0].push_back("F1");
  for (std::size_t c = 0; c < q.classes.size(); ++c) {
    rows.push_back({q.classes[c]});
    for (const auto count : q.confusion[c]) rows.back().push_back(std::to_string(count));
    rows.back().push_back(fmt::format("{:.4f}", q.f1[c]));
  }
  return text + format_table(rows);
}

Json to_json(const Quality& q) {
  return {{"images", q.images}, {"accuracy", q.accuracy}, {"macro_f1", q.macro_f1},  {"auc", q.auc},
          {"f1", q.f1},         {"classes", q.classes},   {"confusion", q.confusion}};
}

double agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return a.empty() ? 1 : static_cast<double>(equal) / static_cast<double>(a.size());
}

}  // namespace velum::cli
