// Activations, their ranges, and the time of an encrypted run, layer by layer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/units.h"
#include "report/charts.h"

namespace velum::report {

namespace {

constexpr std::size_t kNameCharacters = 26;
constexpr int kSamples = 48;  // points of a drawn parabola

double name_width(std::size_t longest) {
  return 6.6 * static_cast<double>(std::min(longest, kNameCharacters)) + 16;
}

bool drawable(const model::Range& r) {
  return std::isfinite(r.low) && std::isfinite(r.high) && r.low <= r.high;
}

double value_at(const Curve& c, double x) {
  return (c.a * x + c.b) * x + c.c;
}

std::vector<Point> sampled(const Curve& c, const Interval& x) {
  std::vector<Point> points;
  for (int i = 0; i <= kSamples; ++i) {
    const double at = x.low + (x.high - x.low) * i / kSamples;
    points.push_back({at, value_at(c, at)});
  }
  return points;
}

std::vector<Point> on_paper(const Plot& plot, const std::vector<Point>& points) {
  std::vector<Point> out;
  out.reserve(points.size());
  for (const auto& p : points) out.push_back(plot.at(p.x, p.y));
  return out;
}

Interval values_of(const std::vector<Point>& points) {
  Interval y{points[0].y, points[0].y};
  for (const auto& p : points) y = hull(y, {p.y, p.y});
  return y;
}

// A bar of the range chart.
void range_bar(Svg& svg, const Plot& plot, const model::Range& r, double y, double height,
               const std::string& style, const std::string& what) {
  if (!drawable(r)) return;
  const double from = plot.at_x(r.low), to = plot.at_x(r.high);
  box(svg, {from, y, std::max(1.0, to - from), height}, style, 1,
      fmt::format("{}: {:.4g} to {:.4g}, rms {:.4g}", what, r.low, r.high, r.rms));
}

}  // namespace

Svg activation_chart(const Activation& a) {
  Svg svg{330, 250, a.name, "", {}};
  // Where the drawn units see something; the layer's range where none is drawn.
  Interval x{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const auto& u : a.units)
    if (std::isfinite(u.low) && std::isfinite(u.high)) x = hull(x, {u.low, u.high});
  if (!(x.low <= x.high)) x = drawable(a.input) ? Interval{a.input.low, a.input.high} : Interval{-1, 1};
  x = padded(x, x.high > x.low ? 0 : 0.5);
  const std::vector<Point> relu = {
      {x.low, std::max(0.0, x.low)},
      {std::clamp(0.0, x.low, x.high), std::max(0.0, std::clamp(0.0, x.low, x.high))},
      {x.high, std::max(0.0, x.high)}};
  auto y = values_of(relu);
  for (const auto& u : a.units) {
    if (!std::isfinite(u.low) || !std::isfinite(u.high)) continue;
    y = hull(y, values_of(sampled(u.curve, {u.low, u.high})));
    if (u.start) y = hull(y, values_of(sampled(*u.start, {u.low, u.high})));
  }
  const Plot plot{{46, 12, 270, 190}, x, padded(y, 0.06)};
  draw_axes(svg, plot, {"input", "", false}, 5, 5);
  path(svg, on_paper(plot, relu), "line reference", "ReLU");
  svg.description =
      a.relu ? fmt::format("ReLU over inputs from {:.3g} to {:.3g}.", x.low, x.high)
             : fmt::format("{} of {} units, each over the inputs that it sees, against ReLU (dashed).",
                           a.units.size(), a.elements);
  for (std::size_t i = 0; i < a.units.size(); ++i) {
    const auto& u = a.units[i];
    if (!std::isfinite(u.low) || !std::isfinite(u.high)) continue;
    const auto hint = fmt::format("unit {}: {:.4g} x\u00b2 {:+.4g} x {:+.4g} over {:.3g} to {:.3g}",
                                  u.element, u.curve.a, u.curve.b, u.curve.c, u.low, u.high);
    if (u.start)
      path(svg, on_paper(plot, sampled(*u.start, {u.low, u.high})), fmt::format("line s{} start", i % 10),
           fmt::format("unit {} before training", u.element));
    path(svg, on_paper(plot, sampled(u.curve, {u.low, u.high})), series_style(i), hint);
  }
  return svg;
}

Svg range_chart(const std::vector<Activation>& all) {
  std::size_t longest = 1;
  Interval x{0, 0};
  bool teacher = false, planned = false;
  for (const auto& a : all) {
    longest = std::max(longest, a.name.size());
    for (const auto& r : {std::optional(a.input), std::optional(a.output), a.planned, a.teacher})
      if (r && drawable(*r)) x = hull(x, {r->low, r->high});
    teacher |= a.teacher.has_value();
    planned |= a.planned.has_value();
  }
  const double left = name_width(longest), row = teacher ? 48 : 38, top = 34, width = 600;
  const Plot plot{{left, top, width, row * static_cast<double>(all.size())}, padded(x, 0.03), {0, 1}};
  Svg svg{left + width + 20, top + plot.area.height + 46, "Ranges before and after each activation", "", {}};
  draw_x_axis(svg, plot, "value", 8);
  struct Key {
    const char *name, *style;
    bool shown;
  };
  double at = left;
  for (const auto& key :
       {Key{"before (input)", "bar s0", true}, Key{"after (output)", "bar s1", true},
        Key{"teacher's input", "bar s2", teacher}, Key{"planned for", "planned", planned}}) {
    if (!key.shown) continue;
    box(svg, {at, 10, 14, 10}, key.style);
    text(svg, {at + 20, 19}, key.name, Anchor::start);
    at += 130;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& a = all[i];
    const double y = top + row * static_cast<double>(i) + 7;
    text(svg, {left - 8, y + (row - 14) / 2 + 4}, shortened(a.name, kNameCharacters), Anchor::end);
    if (a.planned) range_bar(svg, plot, *a.planned, y - 2.5, 15, "planned", a.name + ", planned for");
    range_bar(svg, plot, a.input, y, 10, "bar s0", a.name + ", input");
    range_bar(svg, plot, a.output, y + 14, 10, "bar s1", a.name + ", output");
    if (a.teacher) range_bar(svg, plot, *a.teacher, y + 26, 8, "bar s2", a.name + ", teacher's input");
    svg.description += fmt::format("{} input {:.3g} to {:.3g}, output {:.3g} to {:.3g}. ", a.name,
                                   a.input.low, a.input.high, a.output.low, a.output.high);
  }
  return svg;
}

Svg step_chart(const std::vector<StepTime>& steps) {
  std::size_t longest = 1;
  double total = 0, largest = 0;
  for (const auto& s : steps) {
    longest = std::max(longest, s.name.size());
    total += s.seconds;
    largest = std::max({largest, s.seconds, s.predicted.value_or(0)});
  }
  const double left = name_width(longest), row = 24, width = 520;
  const Plot plot{
      {left, 8, width, row * static_cast<double>(steps.size())}, {0, largest > 0 ? largest : 1}, {0, 1}};
  Svg svg{left + width + 130, 8 + plot.area.height + 46, "Time by step", "", {}};
  draw_x_axis(svg, plot, "seconds", 6);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double y = 8 + row * static_cast<double>(i), end = plot.at_x(steps[i].seconds);
    const auto label = fmt::format("{} ({:.0f} %)", format_duration(steps[i].seconds),
                                   total > 0 ? 100 * steps[i].seconds / total : 0);
    text(svg, {left - 8, y + row / 2 + 4}, shortened(steps[i].name, kNameCharacters), Anchor::end);
    box(svg, {left, y + 4, std::max(0.5, end - left), row - 8}, "bar s0", 1, steps[i].name + ": " + label);
    if (steps[i].predicted)
      box(svg, {left, y + row - 5, std::max(0.5, plot.at_x(*steps[i].predicted) - left), 3}, "bar s1", 1,
          fmt::format("{}: {} predicted", steps[i].name, format_duration(*steps[i].predicted)));
    text(svg, {end + 7, y + row / 2 + 4}, label, Anchor::start, "label small");
    svg.description += fmt::format("{} {}. ", steps[i].name, label);
  }
  return svg;
}

Svg precision_chart(const std::vector<StepTime>& steps) {
  std::vector<const StepTime*> probed;
  std::size_t longest = 1;
  double largest = 1;
  for (const auto& s : steps) {
    if (!s.precision) continue;
    probed.push_back(&s);
    longest = std::max(longest, s.name.size());
    largest = std::max({largest, *s.precision, s.noise_precision.value_or(0)});
  }
  const double left = name_width(longest), row = 24, width = 520;
  const Plot plot{{left, 8, width, row * static_cast<double>(probed.size())}, {0, largest}, {0, 1}};
  Svg svg{left + width + 90, 8 + plot.area.height + 46, "Precision by layer", "", {}};
  draw_x_axis(svg, plot, "bits", 6);
  for (std::size_t i = 0; i < probed.size(); ++i) {
    const auto& s = *probed[i];
    const double y = 8 + row * static_cast<double>(i), end = plot.at_x(std::max(0.0, *s.precision));
    const auto label = fmt::format("{:.1f} bits", *s.precision);
    text(svg, {left - 8, y + row / 2 + 4}, shortened(s.name, kNameCharacters), Anchor::end);
    box(svg, {left, y + 4, std::max(0.5, end - left), row - 8}, "bar s0", 1, s.name + ": " + label);
    if (s.noise_precision)
      box(svg, {left, y + row - 5, std::max(0.5, plot.at_x(std::max(0.0, *s.noise_precision)) - left), 3},
          "bar s1", 1, fmt::format("{}: {:.1f} bits of noise alone", s.name, *s.noise_precision));
    text(svg, {end + 7, y + row / 2 + 4}, label, Anchor::start, "label small");
    svg.description += fmt::format("{} {}. ", s.name, label);
  }
  return svg;
}

}  // namespace velum::report
