// NumPy arrays: the .npy format, versions 1 and 2, little-endian and in C order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace velum::data {

enum class NpyType { uint8, int32, int64, float32, float64 };

// A view of an array in the bytes of a file.
struct NpyArray {
  NpyType type = NpyType::uint8;
  std::vector<std::uint64_t> shape;
  std::size_t count = 0;                 // product of shape
  std::span<const std::uint8_t> values;  // count times the size of an item
  double at(std::size_t i) const;
};

// Where the values begin and end, known from the first bytes of the file alone.
struct NpyHeader {
  NpyType type = NpyType::uint8;
  std::vector<std::uint64_t> shape;
  std::size_t count = 0, begin = 0, end = 0;
};
inline constexpr std::size_t kMaxNpyHeader = 4096;
NpyHeader read_npy_header(std::span<const std::uint8_t> first_bytes, const std::string& what);
NpyArray read_npy(std::span<const std::uint8_t> file, const std::string& what);

// How the axes after the first are to be read.
enum class Axes {
  channels_first,  // (N, H, W), (N, C, H, W) or (N, F); (N, H, W, C) where only that has 1 or 3 channels
  channels_last,   // (N, H, W) or (N, H, W, C)
};
// Integers are 0 to 255 and divided by 255, floats are 0 to 1; anything else is refused, naming image and
// value.
void images_from_npy(const NpyArray& array, Axes axes, std::size_t limit, const std::string& what,
                     Dataset& set);
// (N) or (N, 1), whole numbers from 0.
std::vector<std::int32_t> labels_from_npy(const NpyArray& array, const std::string& what);

// FILE or FILE,LABELS. The files are one split by themselves, whichever is asked for.
Dataset load_npy(const std::string& paths, const LoadOptions& options);

}  // namespace velum::data
