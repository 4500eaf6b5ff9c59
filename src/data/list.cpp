#include "data/list.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>

#include "base/error.h"
#include "data/csv.h"
#include "data/image_files.h"
#include "system/file.h"

namespace velum::data {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxTable = std::uint64_t{1} << 30;
constexpr std::int32_t kMaxClasses = 65536;

struct Columns {
  std::size_t path = 0;
  std::optional<std::size_t> label;
  std::size_t first_row = 0;
};

Columns columns_of(const std::vector<std::vector<std::string>>& rows) {
  Columns c;
  std::optional<std::size_t> path, label;
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    auto name = rows[0][i];
    std::ranges::transform(name, name.begin(), [](char x) {
      return x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x;
    });
    if (name == "path" || name == "file") path = i;
    if (name == "label" || name == "class") label = i;
  }
  if (path) return {*path, label, 1};
  if (rows[0].size() > 1) c.label = 1;
  return c;
}

std::optional<std::int32_t> whole_number(const std::string& text) {
  std::int32_t value = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || rest != text.data() + text.size() || value < 0 || value >= kMaxClasses)
    return std::nullopt;
  return value;
}

// Labels and the names of the classes, from what the table says of each image.
void set_labels(ImageFiles& list, const std::vector<std::string>& said) {
  if (std::ranges::all_of(said, [](const auto& text) { return whole_number(text).has_value(); })) {
    for (const auto& text : said) list.labels.push_back(*whole_number(text));
    const auto most = *std::ranges::max_element(list.labels);
    for (std::int32_t c = 0; c <= most; ++c) list.classes.push_back(std::to_string(c));
    return;
  }
  const std::set<std::string> names(said.begin(), said.end());
  list.classes.assign(names.begin(), names.end());
  list.named_classes = true;
  for (const auto& text : said)
    list.labels.push_back(static_cast<std::int32_t>(std::distance(names.begin(), names.find(text))));
}

}  // namespace

Dataset load_list(const std::string& file, const LoadOptions& options) {
  const auto bytes = read_file(file, kMaxTable);
  const auto rows = parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file);
  if (rows.empty()) fail_user("{}: an empty list; a line \"path,label\" for each image is expected", file);
  const auto columns = columns_of(rows);
  const auto folder = fs::path(file).parent_path();
  ImageFiles list;
  list.undivided = true;
  std::vector<std::string> said;
  for (auto r = columns.first_row; r < rows.size(); ++r) {
    const auto& row = rows[r];
    const auto wanted = 1 + std::max(columns.path, columns.label.value_or(0));
    if (row.size() < wanted || row[columns.path].empty() || (columns.label && row[*columns.label].empty()))
      fail_user("{}: row {} has {} columns, or an empty one; path{} expected as in the first row", file,
                r + 1, row.size(), columns.label ? " and label are" : " is");
    list.paths.push_back(folder / row[columns.path]);
    list.names.push_back(row[columns.path]);
    if (columns.label) said.push_back(row[*columns.label]);
  }
  if (list.paths.empty()) fail_user("{}: a list of no images", file);
  if (columns.label) set_labels(list, said);
  auto set = read_image_files(std::move(list), options, file);
  set.name = fs::path(file).stem().string();
  return set;
}

}  // namespace velum::data
