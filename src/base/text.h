// Text from files and command lines, made safe to show.
#pragma once

#include <string>
#include <string_view>

namespace velum {

// On one line and without effect on a terminal: control characters (C0, DEL, and C1 in UTF-8) and bytes that
// are no UTF-8 become \n, \t or \xNN; so do the marks that turn the direction of text. Everything else stays,
// so that names in any script read as they are.
std::string printable(std::string_view text);

}  // namespace velum
