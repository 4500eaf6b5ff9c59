#include "cli/metrics_text.h"

#include <algorithm>

#include "cli/common.h"

namespace velum::cli {

namespace {

using Row = std::vector<std::string>;

// A matrix of more classes does not fit on a line.
constexpr std::size_t kMatrixClasses = 20, kLargestMistakes = 20;

std::string auc_text(const std::optional<double>& auc) {
  return auc ? fmt::format("{:.4f}", *auc) : "-";
}

// One line: the value of every evaluation, and from the second its difference to the first.
template <typename Value, typename Difference>
Row comparison(const std::string& name, const std::vector<report::Evaluation>& all, Value value,
               Difference difference) {
  Row row{name};
  for (std::size_t i = 0; i < all.size(); ++i) {
    row.push_back(value(all[i].metrics));
    if (i > 0) row.push_back(difference(all[i].metrics, all[0].metrics));
  }
  return row;
}

std::string matrix_text(const report::Metrics& m) {
  std::vector<Row> rows{{"true \\ predicted"}};
  for (const auto& c : m.classes) rows[0].push_back(c.name);
  for (std::size_t c = 0; c < m.classes.size(); ++c) {
    rows.push_back({m.classes[c].name});
    for (const auto count : m.confusion[c]) rows.back().push_back(std::to_string(count));
  }
  return format_table(rows);
}

std::string mistakes_text(const report::Metrics& m) {
  std::vector<Row> rows{{"most frequent mistakes", "taken for", "images"}};
  for (const auto& x : report::most_frequent_mistakes(m, kLargestMistakes))
    rows.push_back({m.classes[x.truth].name, m.classes[x.said].name, std::to_string(x.images)});
  return format_table(rows);
}

}  // namespace

std::string summary_text(const std::vector<report::Evaluation>& all) {
  std::vector<Row> rows{{""}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    rows[0].push_back(all[i].name);
    if (i > 0) rows[0].emplace_back("difference");
  }
  const auto nothing = [](const auto&, const auto&) { return std::string(); };
  rows.push_back(comparison(
      "images", all, [](const auto& m) { return std::to_string(m.images); }, nothing));
  rows.push_back(comparison(
      "accuracy", all, [](const auto& m) { return fmt::format("{:.2f} %", 100 * m.accuracy); },
      [](const auto& m, const auto& first) {
        return fmt::format("{:+.2f}", 100 * (m.accuracy - first.accuracy));
      }));
  rows.push_back(comparison(
      "macro F1", all, [](const auto& m) { return fmt::format("{:.4f}", m.macro_f1); },
      [](const auto& m, const auto& first) { return fmt::format("{:+.4f}", m.macro_f1 - first.macro_f1); }));
  rows.push_back(comparison(
      "macro AUC", all, [](const auto& m) { return auc_text(m.auc); },
      [](const auto& m, const auto& first) {
        return m.auc && first.auc ? fmt::format("{:+.4f}", *m.auc - *first.auc) : std::string("-");
      }));
  if (all.size() == 1) rows.erase(rows.begin());
  return format_table(rows);
}

std::string classes_text(const report::Metrics& m) {
  std::vector<Row> rows{{"class", "images", "precision", "recall", "F1", "AUC"}};
  for (const auto& c : m.classes)
    rows.push_back({c.name, std::to_string(c.images), fmt::format("{:.4f}", c.precision),
                    fmt::format("{:.4f}", c.recall), fmt::format("{:.4f}", c.f1), auc_text(c.auc)});
  return format_table(rows) + "\n" + (m.classes.size() <= kMatrixClasses ? matrix_text(m) : mistakes_text(m));
}

}  // namespace velum::cli
