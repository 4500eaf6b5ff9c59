#include "report/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace velum::report {

namespace {

double step_of(const Interval& range, int wanted) {
  const double rough = (range.high - range.low) / std::max(1, wanted);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10 * power;
}

}  // namespace

Interval hull(const Interval& a, const Interval& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Interval padded(const Interval& x, double share) {
  double width = x.high - x.low;
  // Narrower, its ticks could not be told apart in doubles.
  const double least = 1e-9 * std::max(std::abs(x.low), std::abs(x.high));
  if (!(width > least)) width = std::max(std::abs(x.high), 1.0);
  return {x.low - share * width, x.high + share * width};
}

std::vector<double> ticks(const Interval& range, int wanted) {
  const double step = step_of(range, wanted);
  std::vector<double> all;
  for (double k = std::ceil(range.low / step - 1e-9); k * step <= range.high + 1e-9 * step; ++k)
    all.push_back(k == 0 ? 0 : k * step);
  return all;
}

std::string tick_label(double value, double step) {
  const double size = std::max(std::abs(value), step);
  if (value != 0 && (size >= 1e5 || step < 1e-4)) return fmt::format("{:.3g}", value);
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}", value, digits);
}

void draw_x_axis(Svg& svg, const Plot& plot, const std::string& name, int wanted, bool whole) {
  if (whole) wanted = std::clamp(static_cast<int>(plot.x.high - plot.x.low), 1, wanted);
  const double bottom = plot.area.y + plot.area.height, step = step_of(plot.x, wanted);
  for (const double v : ticks(plot.x, wanted)) {
    line(svg, {plot.at_x(v), plot.area.y}, {plot.at_x(v), bottom}, v == 0 ? "zero" : "grid");
    text(svg, {plot.at_x(v), bottom + 16}, tick_label(v, step), Anchor::middle);
  }
  text(svg, {plot.area.x + plot.area.width / 2, bottom + 34}, name, Anchor::middle, "label axis");
}

void draw_axes(Svg& svg, const Plot& plot, const AxisNames& names, int x_ticks, int y_ticks) {
  draw_x_axis(svg, plot, names.x, x_ticks, names.whole_x);
  const double step = step_of(plot.y, y_ticks), middle = plot.area.y + plot.area.height / 2;
  for (const double v : ticks(plot.y, y_ticks)) {
    line(svg, {plot.area.x, plot.at_y(v)}, {plot.area.x + plot.area.width, plot.at_y(v)},
         v == 0 ? "zero" : "grid");
    const auto label = names.percent ? tick_label(100 * v, 100 * step) + " %" : tick_label(v, step);
    text(svg, {plot.area.x - 7, plot.at_y(v) + 4}, label, Anchor::end);
  }
  if (!names.y.empty()) turned_text(svg, {12, middle}, names.y, -90, Anchor::middle);
}

}  // namespace velum::report
