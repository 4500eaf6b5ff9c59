#include "data/image_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "data/image.h"
#include "data/memory_check.h"
#include "system/file.h"

namespace velum::data {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxImageFile = std::uint64_t{256} << 20;

template <typename T>
void keep_evenly(std::vector<T>& all, std::size_t limit) {
  const auto total = all.size();
  if (total == 0) return;
  for (std::size_t i = 0; i < limit; ++i) all[i] = all[i * total / limit];
  all.resize(limit);
}

void spread(ImageFiles& list, std::size_t limit) {
  if (!limit || limit >= list.paths.size()) return;
  keep_evenly(list.paths, limit);
  keep_evenly(list.names, limit);
  keep_evenly(list.labels, limit);
}

Image read_image(const fs::path& path) {
  return decode_image(read_file(path.string(), kMaxImageFile), path.string());
}

// The shape to make: as wanted, else as the first image that can be read.
void choose_shape(const ImageFiles& list, const LoadOptions& options, Dataset& set) {
  Image first;
  if (!options.channels || !options.height || !options.width) {
    for (std::size_t i = 0; i < list.paths.size() && first.pixels.empty(); ++i) {
      try {
        first = read_image(list.paths[i]);
      } catch (const Error& error) {
        if (!options.skip_bad) throw;
        if (i + 1 == list.paths.size())
          fail_user("none of the {} images can be read; the last: {}", list.paths.size(), error.what());
      }
    }
    if (!options.ignore_exif) first = upright(std::move(first));
  }
  set.channels = options.channels.value_or(static_cast<std::int64_t>(first.channels));
  set.height = options.height.value_or(static_cast<std::int64_t>(first.height));
  set.width = options.width.value_or(static_cast<std::int64_t>(first.width));
}

// What an image file turned out to be.
struct Seen {
  std::size_t channels = 0;  // 0: it cannot be read
  bool transparent = false, turned = false;
};

template <typename Is>
std::size_t count_of(const std::vector<Seen>& seen, Is is) {
  return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), is));
}

// What was done to some of the images, and to how many.
void note_changes(Dataset& set, const std::vector<Seen>& seen, const LoadOptions& options) {
  const auto grey = count_of(seen, [](const Seen& s) { return s.channels == 1; });
  const auto colour = count_of(seen, [](const Seen& s) { return s.channels == 3; });
  const bool wants_grey = set.channels == 1;
  if (grey > 0 && colour > 0)
    set.notes.push_back(fmt::format("{} of {} images are {}, the others {}: all are read as {}",
                                    wants_grey ? colour : grey, grey + colour, wants_grey ? "RGB" : "grey",
                                    wants_grey ? "grey" : "RGB",
                                    wants_grey ? "grey (1 channel)" : "RGB (3 channels)"));
  if (const auto n = count_of(seen, [](const Seen& s) { return s.transparent; }); n > 0)
    set.notes.push_back(
        fmt::format("{} of {} images have transparency, which is dropped: their colours are read as they "
                    "stand beneath it",
                    n, grey + colour));
  if (const auto n = count_of(seen, [](const Seen& s) { return s.turned; }); n > 0)
    set.notes.push_back(
        options.ignore_exif
            ? fmt::format("{} of {} images say that they lie turned or mirrored, and are read as they lie", n,
                          grey + colour)
            : fmt::format("{} of {} images are turned upright as their Exif orientation says; --exif ignore "
                          "reads them as they lie",
                          n, grey + colour));
}

}  // namespace

Dataset read_image_files(ImageFiles list, const LoadOptions& options, const std::string& what) {
  spread(list, options.limit);
  Dataset set;
  set.classes = std::move(list.classes);
  set.notes = std::move(list.notes);
  set.undivided = list.undivided;
  set.named_classes = list.named_classes;
  choose_shape(list, options, set);
  if (set.channels != 1 && set.channels != 3)
    fail_user("{}: {} channels wanted, images can be read as 1 (grey) or 3 (RGB)", what, set.channels);
  if (set.height < 1 || set.width < 1 || set.height > 16384 || set.width > 16384)
    fail_user("{}: images of {}x{} wanted, 1 to 16384 pixels a side are possible", what, set.height,
              set.width);
  require_memory(set, list.paths.size(), 0, what);
  const auto elements = set.elements();
  set.images.resize(list.paths.size() * elements);
  std::vector<std::string> defects(list.paths.size());
  std::vector<Seen> seen(list.paths.size());
  parallel_for(list.paths.size(), [&](std::size_t i, int) {
    try {
      auto image = read_image(list.paths[i]);
      seen[i] = {image.channels, image.transparent, image.orientation != 1};
      if (!options.ignore_exif) image = upright(std::move(image));
      resize_image(image, static_cast<std::size_t>(set.channels), static_cast<std::size_t>(set.height),
                   static_cast<std::size_t>(set.width), options.resize,
                   std::span(set.images).subspan(i * elements, elements));
    } catch (const Error& error) {
      defects[i] = error.what();
    }
  });
  // Close the gaps of unreadable images, or stop at the first one, whichever thread met it.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < list.paths.size(); ++i) {
    if (!defects[i].empty()) {
      if (!options.skip_bad)
        fail_user("{}; remove the file, or leave unreadable images out with --skip-bad", defects[i]);
      set.notes.push_back("left out: " + defects[i]);
      continue;
    }
    if (kept != i)
      std::copy_n(set.images.begin() + static_cast<std::ptrdiff_t>(i * elements), elements,
                  set.images.begin() + static_cast<std::ptrdiff_t>(kept * elements));
    if (!list.labels.empty()) set.labels.push_back(list.labels[i]);
    set.files.push_back(list.names[i]);
    ++kept;
  }
  if (kept == 0)
    fail_user("none of the {} images can be read; the last: {}", list.paths.size(), defects.back());
  set.images.resize(kept * elements);
  note_changes(set, seen, options);
  return set;
}

}  // namespace velum::data
