#include "data/idx.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "data/gzip.h"
#include "data/selection.h"

namespace velum::data {

namespace {

constexpr std::uint64_t kMaxValues = std::uint64_t{1} << 34;

std::uint32_t big_endian(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

// The official name, or with a dot in place of the last dash as some mirrors have it, plain or gzip.
std::string find_file(const std::string& folder, const std::string& stem, const std::string& rank) {
  for (const char* dash : {"-", "."})
    for (const char* end : {"", ".gz"}) {
      auto path = folder + "/" + stem + dash + rank + end;
      if (std::filesystem::is_regular_file(path)) return path;
    }
  fail_user("{}: no file {}-{} or {}-{}.gz; put the MNIST files there under their official names", folder,
            stem, rank, stem, rank);
}

IdxArray load(const std::string& path, std::size_t rank) {
  return read_idx(read_file(path), rank, path);
}

}  // namespace

IdxArray read_idx(std::span<const std::uint8_t> file, std::size_t rank, const std::string& what) {
  const std::size_t header_size = 4 + 4 * rank;
  const bool packed = is_gzip(file);
  std::vector<std::uint8_t> header =
      packed ? inflate_begin(file, Deflate::gzip, header_size, what)
             : std::vector<std::uint8_t>(file.begin(), file.begin() + std::min(header_size, file.size()));
  if (header.size() < header_size)
    fail_user("{}: truncated: {} bytes, an IDX header of {} dimensions has {}", what, header.size(), rank,
              header_size);
  if (header[0] != 0 || header[1] != 0 || header[2] != 0x08)
    fail_user("{}: not an IDX file of bytes: it begins {:02x} {:02x} {:02x}, 00 00 08 expected", what,
              header[0], header[1], header[2]);
  if (header[3] != rank)
    fail_user("{}: {} dimensions, {} expected; are images and labels interchanged?", what, header[3], rank);
  IdxArray array;
  std::uint64_t size = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    const auto extent = big_endian(header.data() + 4 + 4 * d);
    array.shape.push_back(extent);
    if (extent == 0) fail_user("{}: dimension {} is 0", what, d);
    if (size > kMaxValues / extent)
      fail_user("{}: corrupt: dimension {} of {} makes the array too large", what, d, extent);
    size *= extent;
  }
  const auto total = static_cast<std::size_t>(size) + header_size;
  if (packed) {
    array.values = inflate_all(file, Deflate::gzip, total, what);
    array.values.erase(array.values.begin(), array.values.begin() + static_cast<std::ptrdiff_t>(header_size));
  } else {
    if (file.size() < total)
      fail_user("{}: truncated: {} bytes, {} expected; copy the file again", what, file.size(), total);
    if (file.size() > total) fail_user("{}: oversized: {} bytes, {} expected", what, file.size(), total);
    array.values.assign(file.begin() + static_cast<std::ptrdiff_t>(header_size), file.end());
  }
  return array;
}

Dataset load_mnist(const std::string& folder, const LoadOptions& options) {
  const std::string part = options.split == Split::test ? "t10k" : "train";
  const auto images_path = find_file(folder, part + "-images", "idx3-ubyte");
  const auto labels_path = find_file(folder, part + "-labels", "idx1-ubyte");
  const auto images = load(images_path, 3);
  const auto labels = load(labels_path, 1);
  if (images.shape[0] != labels.shape[0])
    fail_user("{}: {} images, but {} has {} labels", images_path, images.shape[0], labels_path,
              labels.shape[0]);
  Dataset set;
  set.name = "mnist";
  set.channels = 1;
  set.height = images.shape[1];
  set.width = images.shape[2];
  for (int c = 0; c < 10; ++c) set.classes.push_back(std::to_string(c));
  const auto range = held_out_range(images.shape[0], options);
  const auto elements = set.elements();
  set.images.resize(range.count * elements);
  set.labels.resize(range.count);
  for (std::size_t i = 0; i < range.count; ++i) {
    set.labels[i] = labels.values[range.first + i];
    if (set.labels[i] > 9)
      fail_user("{}: label {} is {}, 0 to 9 expected", labels_path, range.first + i, set.labels[i]);
  }
  const auto* source = images.values.data() + range.first * elements;
  for (std::size_t i = 0; i < set.images.size(); ++i) set.images[i] = static_cast<float>(source[i]) / 255.0f;
  return set;
}

}  // namespace velum::data
