// Comma-separated values: fields with commas, quotes or line breaks stand in double quotes (RFC 4180).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace velum::data {

// The rows of a text; empty lines are passed over. Refuses a quote without end.
std::vector<std::vector<std::string>> parse_csv(std::string_view text, const std::string& what);
// A field as it is to be written.
std::string csv_field(std::string_view value);

}  // namespace velum::data
