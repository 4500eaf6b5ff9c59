// Data sets as their users have them, read into one plain form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/resize.h"

namespace velum::data {

// Images in [0, 1], row-major [image][channel][row][column]; labels empty where the set has none.
struct Dataset {
  std::string name;  // "mnist", "digits", ...
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<float> images;
  std::vector<std::int32_t> labels;
  std::vector<std::string> classes;  // names, by label
  std::vector<std::string> files;    // of each image, where it is a file of its own; else empty
  std::vector<std::string> notes;    // for the user: what was left out or changed, and why
  bool named_classes = false;        // the classes are names that a folder or a list gave, in text order
  bool undivided = false;  // the set has no splits: these are all its images, whichever split was asked for
  std::size_t count() const {
    const auto e = static_cast<std::size_t>(channels * height * width);
    return e ? images.size() / e : 0;
  }
  std::size_t elements() const { return static_cast<std::size_t>(channels * height * width); }
};

enum class Split { train, validation, test };

struct ValueRange {
  double low = 0, high = 1;
  bool stated = true;  // by somebody; otherwise by what the network's first step looks like
};

struct LoadOptions {
  Split split = Split::test;
  std::size_t limit = 0;  // first images only (folders: evenly over the classes); 0: all
  // Wanted shape (the model's): folders are resized, others checked.
  std::optional<std::int64_t> channels, height, width;
  // The values that the network takes, from black to white, where somebody said so: those of arrays (npy) are
  // then in this range, and brought to [0, 1] by it.
  std::optional<ValueRange> values;
  bool channels_last = false;       // arrays (npy): where it is not clear from the wanted shape
  bool skip_bad = false;            // image files: name and leave out unreadable ones instead of stopping
  Resize resize = Resize::stretch;  // image files of another size than the wanted one
  bool ignore_exif = false;         // image files: leave them as stored where they ask to be turned
  std::uint64_t seed = 1;           // digits
};

// DATASET: digits | mnist:DIR | cifar10:DIR | medmnist:FILE.npz | folder:DIR | list:FILE.csv |
//          npy:FILE[,LABELS]
// MNIST and CIFAR-10 have no validation split of their own: it is the last 5,000 training images, and
// training the rest. Throws Error(user) naming file, expected and actual.
Dataset load(const std::string& spec, const LoadOptions& options);

}  // namespace velum::data
