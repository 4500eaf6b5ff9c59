#include "data/npy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "data/selection.h"

namespace velum::data {

namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 40;
constexpr std::int64_t kMaxClasses = 65536;

std::size_t item_bytes(NpyType type) {
  switch (type) {
    case NpyType::uint8:
      return 1;
    case NpyType::int32:
    case NpyType::float32:
      return 4;
    case NpyType::int64:
    case NpyType::float64:
      break;
  }
  return 8;
}

bool is_float(NpyType type) {
  return type == NpyType::float32 || type == NpyType::float64;
}

// The header is a Python dictionary: {'descr': '|u1', 'fortran_order': False, 'shape': (3, 28, 28), }
class DictionaryReader {
 public:
  DictionaryReader(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  bool take(char c) {
    skip_blanks();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c))
      fail_user("{}: damaged NumPy header: '{}' expected before \"{}\"", what_, c, text_.substr(0, 20));
  }
  std::string_view string() {
    expect('\'');
    const auto end = text_.find('\'');
    if (end == std::string_view::npos) fail_user("{}: damaged NumPy header: a string without end", what_);
    const auto s = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return s;
  }
  std::string_view word() {
    skip_blanks();
    std::size_t n = 0;
    while (n < text_.size() && ((text_[n] >= 'A' && text_[n] <= 'Z') || (text_[n] >= 'a' && text_[n] <= 'z')))
      ++n;
    const auto s = text_.substr(0, n);
    text_.remove_prefix(n);
    return s;
  }
  std::uint64_t number() {
    skip_blanks();
    std::uint64_t value = 0;
    std::size_t n = 0;
    for (; n < text_.size() && text_[n] >= '0' && text_[n] <= '9'; ++n) {
      if (value > kMaxBytes) fail_user("{}: damaged NumPy header: a dimension is too large", what_);
      value = value * 10 + static_cast<std::uint64_t>(text_[n] - '0');
    }
    if (n == 0)
      fail_user("{}: damaged NumPy header: a number expected before \"{}\"", what_, text_.substr(0, 20));
    text_.remove_prefix(n);
    return value;
  }

 private:
  void skip_blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
  }
  std::string_view text_;
  const std::string& what_;
};

NpyType type_of(std::string_view descr, const std::string& what) {
  if (descr == "|u1" || descr == "<u1" || descr == "u1") return NpyType::uint8;
  if (descr == "<i4") return NpyType::int32;
  if (descr == "<i8") return NpyType::int64;
  if (descr == "<f4") return NpyType::float32;
  if (descr == "<f8") return NpyType::float64;
  fail_user(
      "{}: NumPy type \"{}\"; uint8, int32, int64, float32 and float64 in little-endian order are read: "
      "convert "
      "it with .astype",
      what, descr);
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

template <typename T>
T item(const std::uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

}  // namespace

double NpyArray::at(std::size_t i) const {
  const auto* p = values.data() + i * item_bytes(type);
  switch (type) {
    case NpyType::uint8:
      return *p;
    case NpyType::int32:
      return item<std::int32_t>(p);
    case NpyType::int64:
      return static_cast<double>(item<std::int64_t>(p));
    case NpyType::float32:
      return static_cast<double>(item<float>(p));
    case NpyType::float64:
      break;
  }
  return item<double>(p);
}

NpyHeader read_npy_header(std::span<const std::uint8_t> bytes, const std::string& what) {
  if (bytes.size() < 12 || std::memcmp(bytes.data(), "\x93NUMPY", 6) != 0)
    fail_user("{}: not a NumPy array file", what);
  const int version = bytes[6];
  if (version != 1 && version != 2) fail_user("{}: NumPy format version {}, 1 or 2 expected", what, version);
  const std::size_t prefix = version == 1 ? 10 : 12;
  std::size_t length = bytes[8] | std::size_t{bytes[9]} << 8;
  if (version == 2) length |= std::size_t{bytes[10]} << 16 | std::size_t{bytes[11]} << 24;
  if (length > kMaxNpyHeader - prefix)
    fail_user("{}: a NumPy header of {} bytes is not one of a plain array", what, length);
  if (length > bytes.size() - prefix)
    fail_user("{}: truncated in the NumPy header; copy the file again", what);

  NpyHeader header;
  bool typed = false, shaped = false;
  DictionaryReader in({reinterpret_cast<const char*>(bytes.data()) + prefix, length}, what);
  in.expect('{');
  while (!in.take('}')) {
    const auto key = in.string();
    in.expect(':');
    if (key == "descr") {
      header.type = type_of(in.string(), what);
      typed = true;
    } else if (key == "fortran_order") {
      const auto value = in.word();
      if (value == "True")
        fail_user("{}: the array is in Fortran order; save it with numpy.ascontiguousarray", what);
      if (value != "False") fail_user("{}: damaged NumPy header: fortran_order is \"{}\"", what, value);
    } else if (key == "shape") {
      in.expect('(');
      header.shape.clear();
      while (!in.take(')')) {
        header.shape.push_back(in.number());
        if (header.shape.size() > 8) fail_user("{}: an array of more than 8 dimensions", what);
        in.take(',');
      }
      shaped = true;
    } else {
      fail_user("{}: damaged NumPy header: unknown key \"{}\"", what, key);
    }
    in.take(',');
  }
  if (!typed || !shaped) fail_user("{}: damaged NumPy header: descr or shape is missing", what);
  std::uint64_t count = 1;
  for (const auto extent : header.shape) {
    if (extent && count > kMaxBytes / extent)
      fail_user("{}: an array of shape {} is too large", what, shape_text(header.shape));
    count *= extent;
  }
  header.count = static_cast<std::size_t>(count);
  header.begin = prefix + length;
  header.end = header.begin + header.count * item_bytes(header.type);
  return header;
}

NpyArray read_npy(std::span<const std::uint8_t> file, const std::string& what) {
  auto header = read_npy_header(file, what);
  if (file.size() < header.end)
    fail_user("{}: truncated: {} bytes, {} expected for an array of shape {}; copy the file again", what,
              file.size(), header.end, shape_text(header.shape));
  if (file.size() > header.end)
    fail_user("{}: oversized: {} bytes, {} expected for an array of shape {}", what, file.size(), header.end,
              shape_text(header.shape));
  return {header.type, std::move(header.shape), header.count, file.subspan(header.begin)};
}

void images_from_npy(const NpyArray& array, Axes axes, std::size_t limit, const std::string& what,
                     Dataset& set) {
  const auto& shape = array.shape;
  for (const auto extent : shape)
    if (extent == 0 || extent > std::uint64_t{1} << 31)
      fail_user("{}: images of shape {}", what, shape_text(shape));
  const auto has_channels = [](std::uint64_t c) { return c == 1 || c == 3; };
  bool channels_last = false;
  const auto axis = [&](std::size_t i) { return static_cast<std::int64_t>(shape[i]); };
  if (shape.size() == 2 && axes == Axes::channels_first) {
    set.channels = set.height = 1;
    set.width = axis(1);
  } else if (shape.size() == 3) {
    set.channels = 1;
    set.height = axis(1);
    set.width = axis(2);
  } else if (shape.size() == 4) {
    channels_last = axes == Axes::channels_last || (!has_channels(shape[1]) && has_channels(shape[3]));
    set.channels = axis(channels_last ? 3 : 1);
    set.height = axis(channels_last ? 1 : 2);
    set.width = axis(channels_last ? 2 : 3);
  } else {
    fail_user("{}: shape {}; images are (N, height, width), (N, channels, height, width) or (N, features)",
              what, shape_text(shape));
  }
  const auto total = static_cast<std::size_t>(shape[0]);
  const auto count = limit ? std::min(limit, total) : total;
  const auto elements = array.count / total;
  const auto area = static_cast<std::size_t>(set.height * set.width);
  const auto channels = static_cast<std::size_t>(set.channels);
  const double high = is_float(array.type) ? 1 : 255;
  set.images.resize(count * elements);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t e = 0; e < elements; ++e) {
      const double value = array.at(i * elements + e);
      if (!(value >= 0 && value <= high))  // NaN fails too
        fail_user("{}: image {} holds {} at element {}, 0 to {} expected{}", what, i, value, e, high,
                  is_float(array.type) ? "; scale the images to [0, 1], or save bytes" : "");
      const auto to = channels_last ? e % channels * area + e / channels : e;
      set.images[i * elements + to] = static_cast<float>(value) / static_cast<float>(high);
    }
}

std::vector<std::int32_t> labels_from_npy(const NpyArray& array, const std::string& what) {
  const auto& shape = array.shape;
  if (shape.size() != 1 && !(shape.size() == 2 && shape[1] == 1))
    fail_user("{}: labels of shape {}, (N) or (N, 1) expected: one class an image", what, shape_text(shape));
  std::vector<std::int32_t> labels(array.count);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double value = array.at(i);
    if (!(value >= 0 && value < kMaxClasses) || value != std::floor(value))
      fail_user("{}: label {} is {}, a class from 0 to {} expected", what, i, value, kMaxClasses - 1);
    labels[i] = static_cast<std::int32_t>(value);
  }
  return labels;
}

Dataset load_npy(const std::string& paths, const LoadOptions& options) {
  const auto comma = paths.find(',');
  const auto images_path = paths.substr(0, comma);
  Dataset set;
  set.name = "npy";
  set.undivided = true;
  const auto bytes = read_file(images_path);
  const auto images = read_npy(bytes, images_path);
  images_from_npy(images, Axes::channels_first, options.limit, images_path, set);
  if (comma == std::string::npos) return set;
  const auto labels_path = paths.substr(comma + 1);
  const auto label_bytes = read_file(labels_path);
  set.labels = labels_from_npy(read_npy(label_bytes, labels_path), labels_path);
  if (set.labels.size() != images.shape[0])
    fail_user("{}: {} images, but {} has {} labels", images_path, images.shape[0], labels_path,
              set.labels.size());
  const auto classes = 1 + *std::max_element(set.labels.begin(), set.labels.end());
  for (std::int32_t c = 0; c < classes; ++c) set.classes.push_back(std::to_string(c));
  set.labels.resize(set.count());
  return set;
}

}  // namespace velum::data
