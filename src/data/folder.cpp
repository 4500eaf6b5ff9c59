#include "data/folder.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "data/image.h"
#include "data/selection.h"

namespace velum::data {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxImageFile = std::uint64_t{256} << 20;

std::vector<std::string> split_names(Split split) {
  switch (split) {
    case Split::train:
      return {"train"};
    case Split::validation:
      return {"val", "validation", "valid"};
    case Split::test:
      break;
  }
  return {"test"};
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with(".");
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !is_hidden(entry.path())) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> images_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    auto end = entry.path().extension().string();
    std::transform(end.begin(), end.end(), end.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if ((end == ".png" || end == ".jpg" || end == ".jpeg") && entry.is_regular_file() &&
        !is_hidden(entry.path()))
      found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

struct Listing {
  std::vector<std::string> classes;
  std::vector<fs::path> files;
  std::vector<std::int32_t> labels;
  bool undivided = false;  // no folder is a split
};

Listing list_images(const fs::path& folder, const LoadOptions& options) {
  if (!fs::is_directory(folder)) fail_user("{}: not a folder", folder.string());
  // Which of DIR's folders are splits; without any, DIR's folders are the classes.
  std::vector<fs::path> splits;
  fs::path chosen;
  for (const auto split : {Split::train, Split::validation, Split::test})
    for (const auto& name : split_names(split))
      if (fs::is_directory(folder / name)) {
        splits.push_back(folder / name);
        if (split == options.split && chosen.empty()) chosen = folder / name;
      }
  const bool undivided = splits.empty();
  if (undivided) splits = {chosen = folder};
  if (chosen.empty())
    fail_user("{}: no folder {}, though there are others; add it or choose another split", folder.string(),
              split_names(options.split)[0]);
  std::set<std::string> names;
  for (const auto& split : splits)
    for (const auto& entry : folders_in(split)) names.insert(entry.filename().string());
  Listing list;
  list.undivided = undivided;
  list.classes.assign(names.begin(), names.end());
  if (list.classes.empty())
    fail_user("{}: no class folders; images lie in {}/CLASS/NAME.png", chosen.string(), chosen.string());
  for (std::size_t c = 0; c < list.classes.size(); ++c) {
    const auto class_folder = chosen / list.classes[c];
    if (!fs::is_directory(class_folder)) continue;  // a class that only another split has
    const auto files = images_in(class_folder);
    if (files.empty())
      fail_user("{}: the class folder has no .png, .jpg or .jpeg file; add images or remove the folder",
                class_folder.string());
    list.files.insert(list.files.end(), files.begin(), files.end());
    list.labels.insert(list.labels.end(), files.size(), static_cast<std::int32_t>(c));
  }
  return list;
}

Listing spread(Listing list, std::size_t limit) {
  const auto total = list.files.size();
  if (!limit || limit >= total) return list;
  for (std::size_t i = 0; i < limit; ++i) {
    list.files[i] = list.files[i * total / limit];
    list.labels[i] = list.labels[i * total / limit];
  }
  list.files.resize(limit);
  list.labels.resize(limit);
  return list;
}

Image read_image(const fs::path& path) {
  return decode_image(read_file(path.string(), kMaxImageFile), path.string());
}

// The shape to make: as wanted, else as the first image that can be read.
void choose_shape(const Listing& list, const LoadOptions& options, Dataset& set) {
  Image first;
  if (!options.channels || !options.height || !options.width) {
    for (std::size_t i = 0; i < list.files.size() && first.pixels.empty(); ++i) {
      try {
        first = read_image(list.files[i]);
      } catch (const Error& error) {
        if (!options.skip_bad) throw;
        if (i + 1 == list.files.size())
          fail_user("none of the {} images can be read; the last: {}", list.files.size(), error.what());
      }
    }
  }
  set.channels = options.channels.value_or(static_cast<std::int64_t>(first.channels));
  set.height = options.height.value_or(static_cast<std::int64_t>(first.height));
  set.width = options.width.value_or(static_cast<std::int64_t>(first.width));
}

// Grey images among coloured ones, or the other way round, are brought to one form: which, and how many.
void note_mixed_channels(Dataset& set, const std::vector<std::size_t>& channels) {
  const auto grey = static_cast<std::size_t>(std::count(channels.begin(), channels.end(), 1));
  const auto colour = static_cast<std::size_t>(std::count(channels.begin(), channels.end(), 3));
  if (grey == 0 || colour == 0) return;
  const bool wants_grey = set.channels == 1;
  set.notes.push_back(fmt::format("{} of {} images are {}, the others {}: all are read as {}",
                                  wants_grey ? colour : grey, grey + colour, wants_grey ? "RGB" : "grey",
                                  wants_grey ? "grey" : "RGB",
                                  wants_grey ? "grey (1 channel)" : "RGB (3 channels)"));
}

}  // namespace

Dataset load_folder(const std::string& folder, const LoadOptions& options) {
  const auto list = spread(list_images(folder, options), options.limit);
  Dataset set;
  set.name = fs::path(folder).lexically_normal().filename().string();
  if (set.name.empty()) set.name = "folder";
  set.classes = list.classes;
  set.undivided = list.undivided;
  choose_shape(list, options, set);
  if (set.channels != 1 && set.channels != 3)
    fail_user("{}: {} channels wanted, images can be read as 1 (grey) or 3 (RGB)", folder, set.channels);
  if (set.height < 1 || set.width < 1 || set.height > 16384 || set.width > 16384)
    fail_user("{}: images of {}x{} wanted, 1 to 16384 pixels a side are possible", folder, set.height,
              set.width);
  const auto elements = set.elements();
  const auto bytes = static_cast<std::uint64_t>(list.files.size()) * elements * sizeof(float);
  if (bytes > available_memory_bytes())
    fail_user("{}: {} images of {}x{}x{} take {} bytes, {} are available; use a limit", folder,
              list.files.size(), set.channels, set.height, set.width, bytes, available_memory_bytes());
  set.images.resize(list.files.size() * elements);
  std::vector<std::string> defects(list.files.size());
  std::vector<std::size_t> channels(list.files.size());  // of the file; 0: it cannot be read
  parallel_for(list.files.size(), [&](std::size_t i, int) {
    try {
      const auto image = read_image(list.files[i]);
      channels[i] = image.channels;
      resize_image(image, static_cast<std::size_t>(set.channels), static_cast<std::size_t>(set.height),
                   static_cast<std::size_t>(set.width),
                   std::span(set.images).subspan(i * elements, elements));
    } catch (const Error& error) {
      defects[i] = error.what();
    }
  });
  // Close the gaps of unreadable images, or stop at the first one, whichever thread met it.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.files.size(); ++i) {
    if (!defects[i].empty()) {
      if (!options.skip_bad)
        fail_user("{}; remove the file, or leave unreadable images out with --skip-bad", defects[i]);
      set.notes.push_back("left out: " + defects[i]);
      continue;
    }
    if (kept != i)
      std::copy_n(set.images.begin() + static_cast<std::ptrdiff_t>(i * elements), elements,
                  set.images.begin() + static_cast<std::ptrdiff_t>(kept * elements));
    set.labels.push_back(list.labels[i]);
    ++kept;
  }
  if (kept == 0)
    fail_user("none of the {} images can be read; the last: {}", list.files.size(), defects.back());
  set.images.resize(kept * elements);
  note_mixed_channels(set, channels);
  return set;
}

}  // namespace velum::data
