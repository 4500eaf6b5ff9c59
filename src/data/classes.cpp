#include "data/classes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <span>

#include "base/error.h"
#include "system/file.h"

namespace velum::data {

namespace {

constexpr std::uint64_t kMostBytes = 1 << 24;
constexpr std::size_t kNamed = 12;

std::optional<std::uint64_t> whole_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::vector<std::string> read_class_names(const std::string& file) {
  std::vector<std::string> names(1);
  for (const auto byte : read_file(file, kMostBytes)) {
    const auto c = static_cast<char>(byte);
    if (c == '\n')
      names.emplace_back();
    else if (c != '\r')
      names.back() += c;
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  if (names.empty()) fail_user("--classes {}: holds no names; one a line is expected", file);
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty())
      fail_user("--classes {}: line {} is empty, the name of a class expected", file, i + 1);
    if (!seen.insert(names[i]).second) fail_user("--classes {}: {} stands there twice", file, names[i]);
  }
  return names;
}

void match_classes(Dataset& set, const std::vector<std::string>& names, const std::string& what) {
  if (set.classes == names) return;
  std::vector<std::int32_t> label_of;
  for (const auto& name : set.classes) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      fail_user(
          "{}: class {} is none of the network's ({}); rename or remove its folder, choose another network, "
          "or name the "
          "classes in the order of its outputs with --classes FILE",
          what, name, some_of(names));
    label_of.push_back(static_cast<std::int32_t>(found - names.begin()));
  }
  for (auto& label : set.labels) label = label_of[static_cast<std::size_t>(label)];
  set.classes = names;
}

bool numbers_out_of_order(const std::vector<std::string>& names) {
  std::vector<std::uint64_t> values;
  for (const auto& name : names) {
    const auto value = whole_number(name);
    if (!value) return false;
    values.push_back(*value);
  }
  return !std::is_sorted(values.begin(), values.end());
}

std::string some_of(const std::vector<std::string>& names) {
  const auto shown = std::span(names).first(std::min(names.size(), kNamed));
  return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > kNamed ? ", ..." : "");
}

}  // namespace velum::data
