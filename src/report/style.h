// The style sheet of a report: light and dark as the reader's system is, and for paper.
#pragma once

#include <string_view>

namespace velum::report {

std::string_view style_sheet();

}  // namespace velum::report
