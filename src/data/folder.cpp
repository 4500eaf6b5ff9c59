#include "data/folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "data/image.h"
#include "data/image_files.h"
#include "system/file.h"

namespace velum::data {

namespace {

namespace fs = std::filesystem;

std::string in_small_letters(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

struct SplitName {
  Split split;
  std::string_view name;
};
constexpr std::array kSplitNames = {
    SplitName{Split::train, "train"},           SplitName{Split::train, "training"},
    SplitName{Split::validation, "val"},        SplitName{Split::validation, "valid"},
    SplitName{Split::validation, "validation"}, SplitName{Split::test, "test"},
    SplitName{Split::test, "testing"}};

std::optional<Split> split_of(const fs::path& folder) {
  const auto name = in_small_letters(folder.filename().string());
  for (const auto& known : kSplitNames)
    if (known.name == name) return known.split;
  return std::nullopt;
}

std::string_view usual_name(Split split) {
  return std::ranges::find(kSplitNames, split, &SplitName::split)->name;
}

// What nobody put there as an image: hidden files, and what archives and file managers leave behind.
bool is_litter(const fs::path& path) {
  const auto name = path.filename().string();
  return name.starts_with(".") || name == "__MACOSX" || name == "Thumbs.db" || name == "desktop.ini";
}

// Everything below a folder that matters, with the notes about what does not.
class Walk {
 public:
  explicit Walk(bool skip_bad) : skip_bad_(skip_bad) {}

  struct Contents {
    std::vector<fs::path> folders, files;  // sorted by name
  };
  // Of one folder.
  Contents look(const fs::path& folder) {
    Contents found;
    std::error_code problem;
    fs::directory_iterator entries(folder, problem);
    for (; !problem && entries != fs::directory_iterator(); entries.increment(problem)) {
      const auto& path = entries->path();
      if (is_litter(path)) continue;
      std::error_code broken;
      const auto kind = fs::status(path, broken).type();
      if (kind == fs::file_type::directory)
        found.folders.push_back(path);
      else if (kind == fs::file_type::regular)
        found.files.push_back(path);
      else
        bad(path, kind == fs::file_type::not_found ? "a link that leads nowhere"
                  : broken                         ? broken.message()
                                                   : "neither a file nor a folder");
    }
    if (problem) bad(folder, problem.message());
    std::ranges::sort(found.folders);
    std::ranges::sort(found.files);
    return found;
  }

  // Images in the folder and below, those of a folder together.
  std::vector<fs::path> images_below(const fs::path& folder) {
    std::vector<fs::path> images;
    std::vector<fs::path> above;
    descend(folder, above, images);
    return images;
  }
  std::vector<fs::path> images_of(const std::vector<fs::path>& files) {
    std::vector<fs::path> images;
    for (const auto& file : files) {
      if (is_image_file(file))
        images.push_back(file);
      else
        ++others_[in_small_letters(file.extension().string())];
    }
    return images;
  }

  std::vector<std::string> notes() const {
    auto all = notes_;
    std::size_t count = 0;
    std::string kinds;
    for (const auto& [extension, n] : others_) {
      count += n;
      kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", n,
                           extension.empty() ? "without an ending" : extension);
    }
    if (count > 0)
      all.push_back(fmt::format("{} {} of other kinds left out ({}); {} are read", count,
                                count == 1 ? "file" : "files", kinds, image_formats()));
    return all;
  }

 private:
  static constexpr std::size_t kDeepest = 64;

  void descend(const fs::path& folder, std::vector<fs::path>& above, std::vector<fs::path>& images) {
    std::error_code problem;
    const auto self = fs::canonical(folder, problem);
    if (problem) return bad(folder, problem.message());
    if (above.size() >= kDeepest || std::ranges::find(above, self) != above.end())
      return bad(folder, "a link back to a folder that it lies in");
    above.push_back(self);
    const auto contents = look(folder);
    const auto here = images_of(contents.files);
    images.insert(images.end(), here.begin(), here.end());
    for (const auto& below : contents.folders) descend(below, above, images);
    above.pop_back();
  }

  // By its name; without an ending, as scanners write them, by its first bytes.
  static bool is_image_file(const fs::path& path) {
    const auto extension = in_small_letters(path.extension().string());
    if (!extension.empty()) return std::ranges::count(image_extensions(), extension) > 0;
    const InputFile file(path.string());
    std::vector<std::uint8_t> head(std::min<std::uint64_t>(file.size(), kImageMarkBytes));
    file.read_at(0, head);
    return is_image(head);
  }

  void bad(const fs::path& path, const std::string& why) {
    if (!skip_bad_)
      fail_user("{}: {}; remove or mend it, or leave it out with --skip-bad", path.string(), why);
    notes_.push_back(fmt::format("left out: {}: {}", path.string(), why));
  }

  bool skip_bad_;
  std::map<std::string, std::size_t> others_;
  std::vector<std::string> notes_;
};

struct Splits {
  std::vector<fs::path> folders;  // one where nothing is divided
  fs::path chosen;
  bool undivided = false;
  std::vector<std::string> notes;
};

// Which of the folder's folders are splits; without any, its folders are the classes.
Splits find_splits(const fs::path& folder, Split wanted, Walk& walk) {
  Splits splits;
  const auto contents = walk.look(folder);
  for (const auto& below : contents.folders) {
    const auto split = split_of(below);
    if (!split) continue;
    splits.folders.push_back(below);
    if (*split != wanted) continue;
    if (!splits.chosen.empty())
      fail_user("{}: {} and {} are both folders of {} images; rename or join them", folder.string(),
                splits.chosen.filename().string(), below.filename().string(), usual_name(wanted));
    splits.chosen = below;
  }
  splits.undivided = splits.folders.empty();
  if (splits.undivided) {
    splits.folders = {splits.chosen = folder};
    return splits;
  }
  if (splits.chosen.empty())
    fail_user("{}: no folder {}, though there are others; add it or choose another split", folder.string(),
              usual_name(wanted));
  if (const auto beside = contents.folders.size() - splits.folders.size() + contents.files.size(); beside > 0)
    splits.notes.push_back(
        fmt::format("{}: {} files and folders beside its splits are left out", folder.string(), beside));
  return splits;
}

void add(ImageFiles& list, const std::vector<fs::path>& images, const fs::path& folder) {
  for (const auto& image : images) {
    list.paths.push_back(image);
    list.names.push_back(image.lexically_relative(folder).generic_string());
  }
}

ImageFiles list_images(const fs::path& folder, const LoadOptions& options) {
  std::error_code problem;
  if (!fs::is_directory(folder, problem)) fail_user("{}: not a folder", folder.string());
  Walk walk(options.skip_bad);
  const auto splits = find_splits(folder, options.split, walk);
  ImageFiles list;
  list.undivided = splits.undivided;
  list.notes = splits.notes;
  std::set<std::string> names;
  for (const auto& split : splits.folders)
    for (const auto& below : walk.look(split).folders) names.insert(below.filename().string());
  list.classes.assign(names.begin(), names.end());
  list.named_classes = true;

  const auto contents = walk.look(splits.chosen);
  const auto loose = walk.images_of(contents.files);
  if (contents.folders.empty()) {
    add(list, loose, folder);
    if (loose.empty())
      fail_user(
          "{}: no class folders and no images; images lie in {}/CLASS/NAME.png, or without classes in "
          "{}/NAME.png",
          splits.chosen.string(), splits.chosen.string(), splits.chosen.string());
  } else if (!loose.empty()) {
    list.notes.push_back(fmt::format("{}: {} images beside the class folders are left out",
                                     splits.chosen.string(), loose.size()));
  }
  for (const auto& class_folder : contents.folders) {
    const auto images = walk.images_below(class_folder);
    if (images.empty())
      fail_user("{}: the class folder has no image ({} are read); add images or remove the folder",
                class_folder.string(), image_formats());
    const auto label = names.find(class_folder.filename().string());
    list.labels.insert(list.labels.end(), images.size(),
                       static_cast<std::int32_t>(std::distance(names.begin(), label)));
    add(list, images, folder);
  }
  const auto notes = walk.notes();
  list.notes.insert(list.notes.end(), notes.begin(), notes.end());
  return list;
}

}  // namespace

Dataset load_folder(const std::string& folder, const LoadOptions& options) {
  auto set = read_image_files(list_images(folder, options), options, folder);
  set.name = fs::path(folder).lexically_normal().filename().string();
  if (set.name.empty()) set.name = "folder";
  return set;
}

}  // namespace velum::data
