// A report with everything in it, and names that a page must not take for markup.
#pragma once

#include "report/report.h"

namespace velum::test {

report::Report sample_report();
// The same with two classes.
report::Report two_class_report();

}  // namespace velum::test
