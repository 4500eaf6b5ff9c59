#include "report/sample_report.h"

#include <cmath>
#include <random>

namespace velum::test {

namespace {

// Outputs that are right more often than not; `noise` says how often.
report::Metrics measured(std::size_t classes, const std::vector<std::string>& names, double noise) {
  std::mt19937 random(17);
  std::normal_distribution<double> error(0, noise);
  std::vector<double> outputs;
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < 400; ++i) {
    labels.push_back(static_cast<std::int32_t>(i % classes));
    for (std::size_t c = 0; c < classes; ++c) outputs.push_back((c == i % classes ? 1 : 0) + error(random));
  }
  return report::thinned(report::measure(outputs, classes, labels, names));
}

}  // namespace

report::Report sample_report() {
  report::Report r;
  r.title = "Training of <b>scnn</b> & \"friends\"";
  r.subtitle = "400 images of 1x4x4";
  r.facts = {{"command", "velum train --note 'a<b'"}, {"machine", "a processor"}};
  r.notes = {"a note with <script>alert(1)</script>"};
  const std::vector<std::string> names = {"normal", "<img src=x>", "virus & more",
                                          "a name that is far too long"};
  r.evaluations = {{"network", measured(4, names, 0.5)}, {"teacher", measured(4, names, 0.4)}};
  for (int e = 1; e <= 12; ++e)
    r.history.push_back({e, 2.0 / e, 1 - 0.5 / e, 1 - 0.6 / e, 2.2 / e, e < 8 ? e / 8.0 : 1});
  for (int e = 1; e <= 3; ++e) r.teacher_history.push_back({e, 1.0 / e, 1 - 0.4 / e, {}, {}, {}});
  report::Activation first;
  first.name = "conv1_act";
  first.elements = 200;
  first.input = {-4, 3.5, 1.2};
  first.output = {-0.25, 6, 1};
  first.planned = model::Range{-6, 5, 1.2};
  first.teacher = model::Range{-5, 4, 1};
  first.units = {{25, -3, 2, {0.2, 0.5, 0.1}, report::Curve{0.25, 0.5, 0.12}},
                 {75, -4, 3.5, {0.15, 0.45, 0.2}, report::Curve{0.25, 0.5, 0.12}}};
  report::Activation second;
  second.name = "relu2";
  second.relu = true;
  second.elements = 30;
  second.input = {-2, 7, 2};
  second.output = {0, 7, 1.5};
  r.activations = {first, second};
  r.steps = {{"conv1", 1.5, 1.25, 10.5, 12.0}, {"dense1", 0.25, 0.5, {}, {}}};
  return r;
}

report::Report two_class_report() {
  auto r = sample_report();
  r.evaluations = {{"network", measured(2, {"normal", "pneumonia"}, 0.6)},
                   {"quantised", measured(2, {"normal", "pneumonia"}, 0.61)}};
  r.encrypted_and_clear = true;
  r.headlines = {{"Time an image", "1.2 ms", "1.1 ms predicted"}};
  return r;
}

}  // namespace velum::test
