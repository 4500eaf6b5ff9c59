#include "cli/predictions.h"

#include <fmt/format.h>

#include <iterator>

#include "base/error.h"
#include "data/csv.h"
#include "system/file.h"

namespace velum::cli {

namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

}  // namespace

std::string predictions_csv(const Predictions& p) {
  const bool scored = unscored_text(p.taken).empty();
  const auto images = p.outputs.size() / p.taken.outputs, width = images ? p.written.size() / images : 0;
  const auto decided = scored ? decide(p.taken.form, p.taken.outputs, p.outputs) : std::vector<Prediction>();
  const auto& names = p.taken.form.classes;
  std::string text = "index,predicted,true,class,probability";
  auto at = std::back_inserter(text);
  if (!p.paths.empty()) text += ",path";
  for (std::size_t o = 0; o < width; ++o) fmt::format_to(at, ",output_{}", o);
  text += '\n';
  for (std::size_t i = 0; i < images; ++i) {
    fmt::format_to(at, "{},", i);
    if (scored) fmt::format_to(at, "{}", decided[i].predicted);
    text += ',';
    if (!p.labels.empty()) fmt::format_to(at, "{}", p.labels[i]);
    text += ',';
    if (const auto c = scored ? static_cast<std::size_t>(decided[i].predicted) : names.size();
        c < names.size())
      fmt::format_to(at, "{}", data::csv_field(names[c]));
    text += ',';
    if (scored) fmt::format_to(at, "{:.6g}", decided[i].probability);
    if (!p.paths.empty()) fmt::format_to(at, ",{}", data::csv_field(p.paths[i]));
    for (const double x : p.written.subspan(i * width, width)) fmt::format_to(at, ",{:.9g}", x);
    text += '\n';
  }
  return text;
}

std::string names_csv(std::span<const std::string> paths) {
  std::string text = "index,path\n";
  for (std::size_t i = 0; i < paths.size(); ++i) text += fmt::format("{},{}\n", i, data::csv_field(paths[i]));
  return text;
}

std::vector<std::string> read_names_csv(const std::string& file, std::size_t images) {
  const auto bytes = read_file(file, kMostBytes);
  const auto rows = data::parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file);
  if (rows.empty() || rows[0] != std::vector<std::string>{"index", "path"})
    fail_user(
        "--names {}: not what velum encrypt wrote beside its batch: a first line \"index,path\" is expected",
        file);
  if (rows.size() != images + 1)
    fail_user(
        "--names {}: {} names, the results are of {} images; take the file that was written with this batch",
        file, rows.size() - 1, images);
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < images; ++i) {
    if (rows[i + 1].size() != 2 || rows[i + 1][0] != std::to_string(i))
      fail_user("--names {}: line {} is not of image {}; take the file as it was written", file, i + 2, i);
    paths.push_back(rows[i + 1][1]);
  }
  return paths;
}

}  // namespace velum::cli
