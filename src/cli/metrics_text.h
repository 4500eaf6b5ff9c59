// How good a network is, for a terminal.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"

namespace velum::cli {

// Accuracy, F1 and AUC, one column an evaluation; a difference after each but the first.
std::string summary_text(const std::vector<report::Evaluation>& evaluations);
// By class: images, precision, recall, F1, AUC; then the confusion matrix, or its largest entries where there
// are too many classes for a terminal.
std::string classes_text(const report::Metrics& metrics);

}  // namespace velum::cli
