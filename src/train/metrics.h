// How good predictions are: accuracy, F1, area under the ROC curve, confusion matrix.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace velum::train {

struct Metrics {
  double accuracy = 0;
  double macro_f1 = 0;                  // mean of the classes' F1
  double auc = 0;                       // two classes: of class 1; more: mean of each class against the rest
  std::vector<double> f1;               // by class; 0 where a class is neither present nor predicted
  std::vector<std::int64_t> confusion;  // [true class][predicted class]
};

// logits: [labels.size()][classes]. The first of equal logits is predicted; equal scores count half in the
// AUC.
Metrics measure(std::span<const float> logits, std::span<const std::int64_t> labels, std::int64_t classes);
// Area under the ROC curve of `scores` for telling positives from the rest; 0.5 where either is missing.
double area_under_roc(std::span<const double> scores, const std::vector<bool>& positive);

}  // namespace velum::train
