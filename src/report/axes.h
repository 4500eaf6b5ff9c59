// The frame of a chart: where values lie on the paper, and the ticks that say so.
#pragma once

#include <string>
#include <vector>

#include "report/svg.h"

namespace velum::report {

struct Interval {
  double low = 0, high = 1;
};
// The least interval that holds both.
Interval hull(const Interval& a, const Interval& b);
// With some room around it; an interval without width gets one.
Interval padded(const Interval& x, double share);

// Round numbers (1, 2 or 5 times a power of ten apart) within the interval, about `wanted` of them.
std::vector<double> ticks(const Interval& range, int wanted);
// As short as its distance to its neighbours allows.
std::string tick_label(double value, double step);

struct Plot {
  Box area;
  Interval x, y;
  double at_x(double value) const { return area.x + (value - x.low) / (x.high - x.low) * area.width; }
  double at_y(double value) const {
    return area.y + area.height - (value - y.low) / (y.high - y.low) * area.height;
  }
  Point at(double vx, double vy) const { return {at_x(vx), at_y(vy)}; }
};

// Grid, ticks and names of the axes. With `percent`, ticks of y are shown as percentages.
struct AxisNames {
  std::string x, y;
  bool percent = false;
  bool whole_x = false;  // ticks of x at whole numbers only
};
void draw_axes(Svg& svg, const Plot& plot, const AxisNames& names, int x_ticks, int y_ticks);
void draw_x_axis(Svg& svg, const Plot& plot, const std::string& name, int wanted, bool whole = false);

}  // namespace velum::report
