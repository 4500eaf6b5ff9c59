#include "data/dataset.h"

#include <array>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "data/cifar10.h"
#include "data/digits.h"
#include "data/folder.h"
#include "data/idx.h"
#include "data/list.h"
#include "data/npy.h"
#include "data/npz.h"

namespace velum::data {

namespace {

using Loader = Dataset (*)(const std::string& path, const LoadOptions& options);

struct Kind {
  std::string_view name, argument;  // argument: as the help shows it, empty where there is none
  Loader load;
};

constexpr std::array kKinds = {
    Kind{"digits", "", [](const std::string&, const LoadOptions& options) { return load_digits(options); }},
    Kind{"mnist", "DIR", load_mnist},
    Kind{"cifar10", "DIR", load_cifar10},
    Kind{"medmnist", "FILE.npz", load_medmnist},
    Kind{"folder", "DIR", load_folder},
    Kind{"list", "FILE.csv", load_list},
    Kind{"npy", "FILE[,LABELS]", load_npy},
};

constexpr const char* kForms =
    "digits, mnist:DIR, cifar10:DIR, medmnist:FILE.npz, folder:DIR, list:FILE.csv, npy:FILE[,LABELS]";

void check_wanted(const Dataset& set, const std::string& spec, const LoadOptions& options) {
  const auto differs = [](const std::optional<std::int64_t>& wanted, std::int64_t got) {
    return wanted && *wanted != got;
  };
  if (!differs(options.channels, set.channels) && !differs(options.height, set.height) &&
      !differs(options.width, set.width))
    return;
  fail_user(
      "{}: images of {}x{}x{} (channels, height, width), but {}x{}x{} are wanted; choose a model made for "
      "this "
      "data set, or folder:DIR, which is resized",
      spec, set.channels, set.height, set.width, options.channels.value_or(set.channels),
      options.height.value_or(set.height), options.width.value_or(set.width));
}

}  // namespace

Dataset load(const std::string& spec, const LoadOptions& options) {
  const auto colon = spec.find(':');
  const auto name = std::string_view(spec).substr(0, colon);
  const std::string path = colon == std::string::npos ? "" : spec.substr(colon + 1);
  for (const auto& kind : kKinds) {
    if (kind.name != name) continue;
    if (kind.argument.empty() && colon != std::string::npos)
      fail_user("data set \"{}\": {} takes no path; write {}", spec, name, name);
    if (!kind.argument.empty() && path.empty())
      fail_user("data set \"{}\": {} needs a path; write {}:{}", spec, name, name, kind.argument);
    auto set = kind.load(path, options);
    check_wanted(set, spec, options);
    if (set.count() == 0) fail_user("data set \"{}\": no images in this split", spec);
    return set;
  }
  fail_user("data set \"{}\": unknown kind \"{}\"; expected one of {}", spec, name, kForms);
}

}  // namespace velum::data
