#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "report/charts.h"

namespace velum::report {

namespace {

constexpr std::size_t kColours = 10;

// A line of the style and its name, from (x, y) on.
void legend_entry(Svg& svg, Point at, const std::string& name, const std::string& style) {
  path(svg, {{at.x, at.y - 4}, {at.x + 22, at.y - 4}}, style);
  text(svg, {at.x + 28, at.y}, name, Anchor::start);
}

std::string area_text(const RocSeries& s) {
  return s.auc ? fmt::format("{:.4f}", *s.auc) : "-";
}

}  // namespace

std::string series_style(std::size_t series) {
  return fmt::format(
      "line s{}{}", series % kColours,
      series >= kColours ? fmt::format(" dash{}", std::min<std::size_t>(series / kColours, 2)) : "");
}

Svg line_chart(const std::string& title, const std::string& description, const AxisNames& names,
               const std::vector<Series>& series) {
  Svg svg{520, 330, title, description, {}};
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  Interval x{kInfinite, -kInfinite}, y = x;
  for (const auto& s : series)
    for (const auto& p : s.points)
      if (std::isfinite(p.x) && std::isfinite(p.y)) {
        x = hull(x, {p.x, p.x});
        y = hull(y, {p.y, p.y});
      }
  if (!(x.low <= x.high)) x = y = {0, 1};
  const Plot plot{{76, 40, 424, 230}, padded(x, x.high > x.low ? 0 : 0.5), padded(y, 0.06)};
  draw_axes(svg, plot, names, 8, 5);
  double at = plot.area.x;
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::vector<Point> points;
    for (const auto& p : series[i].points)
      if (std::isfinite(p.x) && std::isfinite(p.y)) points.push_back(plot.at(p.x, p.y));
    // A single point would be a line of no length.
    if (points.size() == 1) points.insert(points.begin(), {points[0].x - 4, points[0].y});
    path(svg, points, series_style(i), series[i].name);
    legend_entry(svg, {at, 24}, series[i].name, series_style(i));
    at += 46 + 7.0 * static_cast<double>(series[i].name.size());
  }
  return svg;
}

Svg roc_chart(const std::string& title, const std::vector<RocSeries>& series, int enlarged) {
  const double side = 330, legend = 196, part = 1.0 / enlarged;
  const bool corner = enlarged > 1;
  Svg svg{side + (corner ? 92 : 76 + legend),
          std::max(side + 62, 49 + 19 * static_cast<double>(series.size())),
          title,
          "",
          {}};
  svg.description = corner
                        ? fmt::format("The upper left corner of the same curves, {} times larger.", enlarged)
                        : "True positive rate over false positive rate, one line each: ";
  const Plot plot{{66, 14, side, side}, {0, part}, {1 - part, 1}};
  draw_axes(svg, plot, {"false positive rate", "true positive rate", false}, 5, 5);
  begin_clip(svg, {plot.area.x - 1.5, plot.area.y - 1.5, plot.area.width + 3, plot.area.height + 3});
  path(svg, {plot.at(0, 0), plot.at(1, 1)}, "line reference");
  for (std::size_t i = 0; i < series.size(); ++i) {
    std::vector<Point> points;
    for (const auto& p : *series[i].curve) points.push_back(plot.at(p.false_positive, p.true_positive));
    path(svg, points, series_style(i), series[i].name + " " + area_text(series[i]));
  }
  end_clip(svg);
  if (corner) return svg;
  const double left = plot.area.x + side + 20;
  text(svg, {left + legend - 24, 26}, "area", Anchor::end, "label axis");
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double y = 26 + 19 * static_cast<double>(i + 1);
    legend_entry(svg, {left, y}, shortened(series[i].name, 14), series_style(i));
    text(svg, {left + legend - 24, y}, area_text(series[i]), Anchor::end);
    svg.description += fmt::format(
        "{}{}", i ? ", " : "",
        series[i].auc ? fmt::format("{} area {:.4f}", series[i].name, *series[i].auc) : series[i].name);
  }
  svg.description += ".";
  return svg;
}

}  // namespace velum::report
