// A training run as the report that its page and its JSON show.
#pragma once

#include "report/report.h"
#include "train/report.h"

namespace velum::train {

// Metrics with the data set's names, and those of the teacher on the same images; curves by epoch; what the
// activations compute, before and after, over images of the split that the report is about.
report::Report to_report(const ReportInput& input);

}  // namespace velum::train
