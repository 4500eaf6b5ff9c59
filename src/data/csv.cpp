#include "data/csv.h"

#include <algorithm>

#include "base/error.h"

namespace velum::data {

std::vector<std::vector<std::string>> parse_csv(std::string_view text, const std::string& what) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte-order mark
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  std::size_t line = 1, opened = 0;
  const auto end_row = [&] {
    if (row.size() > 1 || !row[0].empty()) rows.push_back(std::move(row));
    row.assign(1, "");
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    line += c == '\n' ? 1 : 0;
    if (quoted) {
      if (c != '"')
        row.back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        row.back() += text[++i];
      else
        quoted = false;
    } else if (c == '"' && row.back().empty()) {
      quoted = true;
      opened = line;
    } else if (c == ',') {
      row.emplace_back();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r' || i + 1 == text.size() || text[i + 1] != '\n') {
      row.back() += c;
    }
  }
  if (quoted) fail_user("{}: the quote that opens in line {} does not close", what, opened);
  end_row();
  return rows;
}

std::string csv_field(std::string_view value) {
  if (value.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace velum::data
