// What somebody may have meant: the known name nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace velum {

// Single letters to insert, remove or change.
std::size_t edit_distance(std::string_view a, std::string_view b);
// The known name at the least edit distance, the first of equals; empty where nothing is known.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

}  // namespace velum
