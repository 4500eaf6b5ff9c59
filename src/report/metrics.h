// How good a classifier's outputs are: accuracy, confusion matrix, precision, recall, F1, ROC curves. Doubles
// in, plain values out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace velum::report {

// A threshold on a class's score: the share of other images above it, and of the class's own.
struct RocPoint {
  double false_positive = 0, true_positive = 0;
};

struct ClassMetrics {
  std::string name;
  std::size_t images = 0;     // of this class in truth
  std::size_t predicted = 0;  // taken for this class
  double precision = 0;       // of those taken for it, the share that are; 0 where none is
  double recall = 0;          // of those that are, the share taken for it; 0 where none is
  double f1 = 0;              // 2 TP / (2 TP + FP + FN); 0 where the class neither occurs nor is predicted
  // Of this class against the rest; absent where one of the two kinds does not occur.
  std::optional<double> auc;
  std::vector<RocPoint> roc;  // from (0, 0) to (1, 1), without points on the line between their neighbours
};

struct Metrics {
  std::size_t images = 0;
  double accuracy = 0;
  double macro_f1 = 0;         // mean over the classes that occur or are predicted
  std::optional<double> auc;   // mean over the classes that have one
  std::size_t not_finite = 0;  // images with an output that is infinite or not a number
  std::vector<ClassMetrics> classes;
  std::vector<std::vector<std::size_t>> confusion;  // [true][predicted]
};

// Images of one class that are taken for another.
struct Mistake {
  std::size_t truth, said, images;
};
// The most frequent ones, at most `count`.
std::vector<Mistake> most_frequent_mistakes(const Metrics& m, std::size_t count);

// The largest output, the first of equal ones; with a single output, 1 where it is above the cut. An output
// that is not a number is below every other.
std::int32_t predicted_class(std::span<const double> outputs, double cut = 0);
// outputs: [images][width]
std::vector<std::int32_t> predicted_classes(std::span<const double> outputs, std::size_t width,
                                            double cut = 0);
// Share of equal entries; 1 where there are none.
double agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b);

// Mean of the classes' F1, 2 TP / (2 TP + FP + FN), over those that occur or are predicted; 0 where none
// does.
double macro_f1(std::span<const std::int32_t> labels, std::span<const std::int32_t> predicted);

// How far outputs are from a reference: the largest error, and -log2 of the rms error over the reference's
// largest magnitude (53, the precision of a double, where they are equal).
struct Deviation {
  double max_abs = 0, precision_bits = 0;
};
Deviation deviation(std::span<const double> reference, std::span<const double> outputs);

// What ranks images for class c: its log odds z_c - log sum_{j != c} exp(z_j). It orders as the softmax
// probability does, but does not saturate, so it makes no ties that the outputs do not have.
double class_score(std::span<const double> outputs, std::size_t c);

// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half. Absent
// where either is missing.
std::optional<double> area_under_roc(std::span<const double> scores, const std::vector<bool>& positive);
std::vector<RocPoint> roc_curve(std::span<const double> scores, const std::vector<bool>& positive);

// outputs: [labels.size()][width]. A single output stands for two classes, the second one above `cut`.
// `names`: of the classes; a class without one is called by its number. Throws Error(user) for a label that
// the network has no output for.
Metrics measure(std::span<const double> outputs, std::size_t width, std::span<const std::int32_t> labels,
                const std::vector<std::string>& names, double cut = 0);

// The same with every ROC curve reduced to the points that a drawing needs: none moves by more than 0.001, by
// less near the upper left corner, and the areas stay as they were measured.
Metrics thinned(Metrics metrics);

}  // namespace velum::report
