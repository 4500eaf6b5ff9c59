// NumPy arrays: the .npy format, versions 1 and 2, little-endian and in C order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/byte_source.h"
#include "data/dataset.h"

namespace velum::data {

enum class NpyType { uint8, uint16, uint32, uint64, int8, int16, int32, int64, float32, float64 };
std::size_t item_bytes(NpyType type);
double item_value(NpyType type, const std::uint8_t* item);

// Where the values begin and end, known from the first bytes of the file alone.
struct NpyHeader {
  NpyType type = NpyType::uint8;
  std::vector<std::uint64_t> shape;
  std::size_t count = 0;  // product of shape
  std::size_t begin = 0, end = 0;
};
inline constexpr std::size_t kMaxNpyHeader = 4096;
NpyHeader read_npy_header(std::span<const std::uint8_t> first_bytes, const std::string& what);
// Of a whole file, whose length must be what its header says.
NpyHeader read_npy_header(const ByteSource& file, const std::string& what);

// How the axes after the first are to be read.
enum class Axes {
  channels_first,  // (N, H, W), (N, C, H, W) or (N, F); (N, H, W, C) where only that has 1 or 3 channels
  channels_last,   // (N, H, W) or (N, H, W, C)
};
// The first images of an array (all, or as many as the limit says), whose values `next` reads one after the
// other. Floats are 0 to 1 and integers 0 to 255, divided by 255, unless the options say which values the
// network takes: then floats and integers are of those, but for bytes where these are less than 16 apart.
// Anything else is refused, naming image and value. (N, F) takes the wanted shape where that has F elements.
void images_from_npy(const NpyHeader& header, const ReadNext& next, Axes axes, const LoadOptions& options,
                     const std::string& what, Dataset& set);
// (N) or (N, 1), whole numbers from 0.
std::vector<std::int32_t> labels_from_npy(const NpyHeader& header, const ReadNext& next,
                                          const std::string& what);

// FILE or FILE,LABELS, both names with commas where need be. The files are one split by themselves, whichever
// is asked for.
Dataset load_npy(const std::string& paths, const LoadOptions& options);

}  // namespace velum::data
