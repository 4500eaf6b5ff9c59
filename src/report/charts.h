// The pictures of a report.
#pragma once

#include <string>
#include <vector>

#include "report/axes.h"
#include "report/report.h"
#include "report/svg.h"

namespace velum::report {

// Series are told apart by colour and, from the second round on, by dashes.
std::string series_style(std::size_t series);

struct Series {
  std::string name;
  std::vector<Point> points;  // in the chart's units
};
// Lines over a common axis, with a legend.
Svg line_chart(const std::string& title, const std::string& description, const AxisNames& names,
               const std::vector<Series>& series);

// ROC curves; enlarged more than once, only the upper left corner of the square.
struct RocSeries {
  std::string name;
  std::optional<double> auc;
  const std::vector<RocPoint>* curve = nullptr;
};
Svg roc_chart(const std::string& title, const std::vector<RocSeries>& series, int enlarged);

// Shares of the true class as shades: right ones and mistakes in different colours. `against`: of the same
// images and classes; entries that differ from it are marked, with the difference.
Svg confusion_chart(const std::string& title, const Metrics& metrics, const Metrics* against = nullptr);
// "12", and where `against` is another number "12 (+1)".
std::string count_and_difference(std::size_t count, std::size_t against);

// A bar for each evaluation and class.
Svg f1_chart(const std::vector<Evaluation>& evaluations);

// The functions of an activation layer's units over what each of them sees, against ReLU.
Svg activation_chart(const Activation& activation);
// What all layers' activations see and give.
Svg range_chart(const std::vector<Activation>& activations);

// Seconds, with thin bars as predicted where that is known.
Svg step_chart(const std::vector<StepTime>& steps);
// Bits of precision of the steps that have one.
Svg precision_chart(const std::vector<StepTime>& steps);

}  // namespace velum::report
