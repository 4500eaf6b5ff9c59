// Confusion matrices and F1 by class.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/charts.h"

namespace velum::report {

namespace {

constexpr std::size_t kNameCharacters = 18;
// Of a label in the charts' font, on average.
constexpr double kCharacterWidth = 6.6;
// Cells of more classes are too small for figures.
constexpr std::size_t kFigureClasses = 26;

double label_width(const Metrics& m) {
  std::size_t longest = 1;
  for (const auto& c : m.classes) longest = std::max(longest, std::min(c.name.size(), kNameCharacters));
  return kCharacterWidth * static_cast<double>(longest) + 12;
}

double cell_size(const Metrics& m) {
  std::size_t largest = 1;
  for (const auto& row : m.confusion) largest = std::max(largest, *std::ranges::max_element(row));
  const double digits = std::floor(std::log10(static_cast<double>(largest))) + 1;
  if (m.classes.size() > kFigureClasses) return std::max(4.0, 620.0 / static_cast<double>(m.classes.size()));
  return std::clamp(420 / static_cast<double>(m.classes.size()), 7.4 * digits + 8, 84.0);
}

}  // namespace

std::string count_and_difference(std::size_t count, std::size_t against) {
  if (count == against) return std::to_string(count);
  return fmt::format("{} ({:+})", count,
                     static_cast<std::int64_t>(count) - static_cast<std::int64_t>(against));
}

Svg confusion_chart(const std::string& title, const Metrics& m, const Metrics* against) {
  const double cell = cell_size(m), margin = label_width(m), top = 26, left = 22 + margin;
  const double side = cell * static_cast<double>(m.classes.size());
  // Short names lie, long ones are turned.
  const bool turned = margin - 12 > cell;
  Svg svg{left + side + 14,
          top + side + (turned ? margin : 24) + 26,
          title,
          fmt::format("{} classes, {} images, {:.2f} % on the diagonal. Rows are true classes, columns "
                      "predicted ones; the table below has the figures.",
                      m.classes.size(), m.images, 100 * m.accuracy),
          {}};
  for (std::size_t t = 0; t < m.classes.size(); ++t) {
    const double y = top + cell * static_cast<double>(t);
    if (cell >= 10)
      text(svg, {left - 7, y + cell / 2 + 4}, shortened(m.classes[t].name, kNameCharacters), Anchor::end);
    for (std::size_t p = 0; p < m.classes.size(); ++p) {
      const double x = left + cell * static_cast<double>(p);
      const auto count = m.confusion[t][p];
      const double part =
          m.classes[t].images ? static_cast<double>(count) / static_cast<double>(m.classes[t].images) : 0;
      const auto other = against ? against->confusion[t][p] : count;
      auto hint = fmt::format("true {}, predicted {}: {} ({:.2f} %)", m.classes[t].name, m.classes[p].name,
                              count, 100 * part);
      if (other != count) hint += fmt::format(", {} in the other", other);
      box(svg, {x, y, cell, cell}, "cell", 1);
      if (count > 0)
        // By the square root: a mistake in a hundred is still to be seen.
        box(svg, {x + 0.5, y + 0.5, cell - 1, cell - 1}, t == p ? "right" : "wrong",
            0.06 + 0.9 * (t == p ? part : std::sqrt(part)), hint);
      if (other != count) {
        box(svg, {x + 1, y + 1, cell - 2, cell - 2}, "differs", 1, hint);
        if (m.classes.size() <= kFigureClasses)
          text(svg, {x + cell - 3, y + 9},
               fmt::format("{:+}", static_cast<std::int64_t>(count) - static_cast<std::int64_t>(other)),
               Anchor::end, "label small");
      }
      if (m.classes.size() <= kFigureClasses)
        text(svg, {x + cell / 2, y + cell / 2 + 4}, std::to_string(count), Anchor::middle,
             count == 0                                 ? "figure none"
             : (t == p ? part : std::sqrt(part)) > 0.72 ? "figure on"
                                                        : "figure");
    }
  }
  for (std::size_t p = 0; p < m.classes.size() && cell >= 10; ++p) {
    const double x = left + cell * (static_cast<double>(p) + 0.5);
    const auto name = shortened(m.classes[p].name, kNameCharacters);
    if (turned)
      turned_text(svg, {x + 4, top + side + 8}, name, -90, Anchor::end);
    else
      text(svg, {x, top + side + 17}, name, Anchor::middle);
  }
  turned_text(svg, {13, top + side / 2}, "true class", -90, Anchor::middle);
  text(svg, {left + side / 2, svg.height - 8}, "predicted class", Anchor::middle, "label axis");
  return svg;
}

Svg f1_chart(const std::vector<Evaluation>& evaluations) {
  const auto& classes = evaluations.front().metrics.classes;
  const double bar = 14;
  const double row = bar * static_cast<double>(evaluations.size()) + 10;
  const double left = label_width(evaluations.front().metrics) + 6, top = evaluations.size() > 1 ? 34 : 8;
  const Plot plot{{left, top, 440, row * static_cast<double>(classes.size())}, {0, 1}, {0, 1}};
  Svg svg{left + 440 + 66, top + plot.area.height + 46, "F1 by class", "", {}};
  svg.description = fmt::format("Horizontal bars from 0 to 1. {}: ", evaluations.front().name);
  draw_x_axis(svg, plot, "F1", 5);
  double at = left;
  for (std::size_t e = 0; e < evaluations.size() && evaluations.size() > 1; ++e) {
    box(svg, {at, 8, 12, 12}, fmt::format("bar s{}", e % 10));
    text(svg, {at + 18, 18}, evaluations[e].name, Anchor::start);
    at += 46 + 7.0 * static_cast<double>(evaluations[e].name.size());
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const double y = top + row * static_cast<double>(c) + 5;
    text(svg, {left - 7, y + (row - 10) / 2 + 4}, shortened(classes[c].name, kNameCharacters), Anchor::end);
    svg.description += fmt::format("{}{} {:.4f}", c ? ", " : "", classes[c].name, classes[c].f1);
    for (std::size_t e = 0; e < evaluations.size(); ++e) {
      if (c >= evaluations[e].metrics.classes.size()) continue;
      const auto& one = evaluations[e].metrics.classes[c];
      const double begin = y + bar * static_cast<double>(e);
      box(svg, {left, begin, std::max(0.5, 440 * one.f1), bar - 1.5}, fmt::format("bar s{}", e % 10), 1,
          fmt::format("{}, {}: F1 {:.4f}", evaluations[e].name, one.name, one.f1));
      text(svg, {left + 440 * one.f1 + 6, begin + bar / 2 + 3.5}, fmt::format("{:.4f}", one.f1),
           Anchor::start, "label small");
    }
  }
  svg.description += ".";
  return svg;
}

}  // namespace velum::report
