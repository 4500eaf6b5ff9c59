#include "cli/targets.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "system/file.h"
#include "system/framed_file.h"

namespace velum::cli {

namespace {

namespace fs = std::filesystem;

bool is_regular(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// Whether `path` is there, within `folder`, and of a kind that data sets are made of. (A table or a report
// that an earlier command wrote there is not.)
bool is_data_in(const std::string& path, const std::string& folder) {
  std::error_code error;
  if (!is_regular(path) || !fs::is_directory(folder, error)) return false;
  const auto within = fs::canonical(path, error).lexically_relative(fs::canonical(folder, error));
  if (error || within.empty() || *within.begin() == "..") return false;
  auto ending = within.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::array kImages = {".png", ".jpg",  ".jpeg", ".tif", ".tiff",
                                  ".bmp", ".webp", ".dcm",  ".bin", ".gz"};
  return std::ranges::find(kImages, ending) != kImages.end() || within.string().ends_with("ubyte");
}

[[noreturn]] void refuse(const NamedPath& output, const std::string& other) {
  fail_user("{} {}: is the file of {} too, one would overwrite the other; name another file", output.option,
            output.path, other);
}

}  // namespace

void check_targets(const NamedPaths& outputs, const NamedPaths& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& output = outputs[i];
    if (output.path.empty()) continue;
    for (const auto& input : inputs)
      if (!input.path.empty() && (same_file(output.path, input.path) || is_data_in(output.path, input.path)))
        refuse(output, input.option);
    // Devices and pipes take what comes, from as many as write to them.
    for (std::size_t j = 0; j < i; ++j)
      if (!outputs[j].path.empty() && same_file(output.path, outputs[j].path) &&
          (is_regular(output.path) || !fs::exists(output.path)))
        refuse(output, outputs[j].option);
    require_writable(output.path);
    require_same_kind(output.option, output.path, output.writes);
  }
}

NamedPaths data_paths(const std::string& option, const std::string& dataset) {
  NamedPaths paths;
  const auto colon = dataset.find(':');
  if (colon == std::string::npos) return paths;
  auto rest = dataset.substr(colon + 1);
  paths.push_back({option, rest});
  for (auto comma = rest.find(','); comma != std::string::npos; comma = rest.find(',', comma + 1)) {
    paths.push_back({option, rest.substr(0, comma)});
    paths.push_back({option, rest.substr(comma + 1)});
  }
  return paths;
}

}  // namespace velum::cli
