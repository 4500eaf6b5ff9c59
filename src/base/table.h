// Tables for people.
#pragma once

#include <string>
#include <vector>

namespace velum {

// Columns set to the width of their widest cell; the first one left-aligned, the others right-aligned.
// Names from files are shown as `printable` (base/text.h) has them.
std::string format_table(std::vector<std::vector<std::string>> rows);

}  // namespace velum
