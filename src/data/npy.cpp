#include "data/npy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "data/memory_check.h"
#include "data/selection.h"

namespace velum::data {

namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 40;
constexpr std::int64_t kMaxClasses = 65536;

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
  struct Known {
    std::string_view descr;
    NpyType type;
  };
  constexpr std::array kKnown = {
      Known{"|u1", NpyType::uint8},   Known{"<u1", NpyType::uint8},  Known{"u1", NpyType::uint8},
      Known{"|i1", NpyType::int8},    Known{"<i1", NpyType::int8},   Known{"<u2", NpyType::uint16},
      Known{"<i2", NpyType::int16},   Known{"<u4", NpyType::uint32}, Known{"<i4", NpyType::int32},
      Known{"<u8", NpyType::uint64},  Known{"<i8", NpyType::int64},  Known{"<f4", NpyType::float32},
      Known{"<f8", NpyType::float64},
  };
  for (const auto& known : kKnown)
    if (known.descr == descr) return known.type;
  fail_user(
      "{}: NumPy type \"{}\"; integers, float32 and float64 in little-endian order are read: convert it with "
      ".astype",
      what, descr);
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

template <typename T>
double number(const std::uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return static_cast<double>(v);
}

}  // namespace

std::size_t item_bytes(NpyType type) {
  switch (type) {
    case NpyType::uint8:
    case NpyType::int8:
      return 1;
    case NpyType::uint16:
    case NpyType::int16:
      return 2;
    case NpyType::uint32:
    case NpyType::int32:
    case NpyType::float32:
      return 4;
    case NpyType::uint64:
    case NpyType::int64:
    case NpyType::float64:
      break;
  }
  return 8;
}

double item_value(NpyType type, const std::uint8_t* item) {
  switch (type) {
    case NpyType::uint8:
      return *item;
    case NpyType::uint16:
      return number<std::uint16_t>(item);
    case NpyType::uint32:
      return number<std::uint32_t>(item);
    case NpyType::uint64:
      return number<std::uint64_t>(item);
    case NpyType::int8:
      return number<std::int8_t>(item);
    case NpyType::int16:
      return number<std::int16_t>(item);
    case NpyType::int32:
      return number<std::int32_t>(item);
    case NpyType::int64:
      return number<std::int64_t>(item);
    case NpyType::float32:
      return number<float>(item);
    case NpyType::float64:
      break;
  }
  return number<double>(item);
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

NpyHeader read_npy_header(const ByteSource& file, const std::string& what) {
  std::vector<std::uint8_t> first(
      static_cast<std::size_t>(std::min<std::uint64_t>(file.size, kMaxNpyHeader)));
  file.read_at(0, first);
  auto header = read_npy_header(first, what);
  if (file.size < header.end)
    fail_user("{}: truncated: {} bytes, {} expected for an array of shape {}; copy the file again", what,
              file.size, header.end, shape_text(header.shape));
  if (file.size > header.end)
    fail_user("{}: oversized: {} bytes, {} expected for an array of shape {}", what, file.size, header.end,
              shape_text(header.shape));
  return header;
}

namespace {

// Which channels, rows and columns the axes are; whether the channels come last.
bool read_axes(const std::vector<std::uint64_t>& shape, Axes axes, const LoadOptions& options,
               const std::string& what, Dataset& set) {
  for (const auto extent : shape)
    if (extent == 0 || extent > std::uint64_t{1} << 31)
      fail_user("{}: images of shape {}", what, shape_text(shape));
  const auto has_channels = [](std::uint64_t c) { return c == 1 || c == 3; };
  bool channels_last = false;
  const auto axis = [&](std::size_t i) { return static_cast<std::int64_t>(shape[i]); };
  const bool wanted = options.channels && options.height && options.width;
  // Whether the three axes from the second on are the wanted ones, in this order.
  const auto are = [&](std::int64_t a, std::int64_t b, std::int64_t c) {
    return axis(1) == a && axis(2) == b && axis(3) == c;
  };
  if (shape.size() == 2 && axes == Axes::channels_first) {
    set.channels = set.height = 1;
    set.width = axis(1);
    if (wanted && *options.channels * *options.height * *options.width == set.width) {
      set.channels = *options.channels;
      set.height = *options.height;
      set.width = *options.width;
      channels_last = options.channels_last;
    }
  } else if (shape.size() == 3) {
    set.channels = 1;
    set.height = axis(1);
    set.width = axis(2);
  } else if (shape.size() == 4) {
    channels_last = axes == Axes::channels_last || (!has_channels(shape[1]) && has_channels(shape[3]));
    if (wanted && axes == Axes::channels_first) {
      const bool first = are(*options.channels, *options.height, *options.width),
                 last = are(*options.height, *options.width, *options.channels);
      if (first || last) channels_last = last && (!first || options.channels_last);
    }
    set.channels = axis(channels_last ? 3 : 1);
    set.height = axis(channels_last ? 1 : 2);
    set.width = axis(channels_last ? 2 : 3);
  } else {
    fail_user("{}: shape {}; images are (N, height, width), (N, channels, height, width) or (N, features)",
              what, shape_text(shape));
  }
  return channels_last;
}

// Black and white of an array's values.
ValueRange range_of(NpyType type, const LoadOptions& options) {
  constexpr ValueRange kBytes{0, 255};
  if (!options.values) return is_float(type) ? ValueRange{0, 1} : kBytes;
  // Bytes of an image cannot be what a network means by 0 to 1, -1 to 1, or a range of normalised values.
  constexpr double kFewBytes = 16;
  if (type == NpyType::uint8 && options.values->high - options.values->low < kFewBytes) return kBytes;
  return *options.values;
}

[[noreturn]] void refuse_value(const std::string& what, std::size_t image, std::size_t element, double value,
                               NpyType type, const ValueRange& range, const LoadOptions& options) {
  const auto place = fmt::format("{}: image {} holds {:g} at element {}, {:g} to {:g} expected", what, image,
                                 value, element, range.low, range.high);
  if (options.values && options.values->stated)
    fail_user("{}, as --input-range says; correct one of the two", place);
  if (options.values)
    fail_user(
        "{}, by what the network's first step divides by; if it takes others, say which with --input-range "
        "LO,HI",
        place);
  fail_user(
      "{}; {}if the network takes other values (normalised ones, or 0 to 255 as they are), say which "
      "with --input-range LO,HI when it is planned, evaluated or trained",
      place, is_float(type) ? "scale the images to [0, 1], or save bytes; " : "");
}

}  // namespace

void images_from_npy(const NpyHeader& header, const ReadNext& next, Axes axes, const LoadOptions& options,
                     const std::string& what, Dataset& set) {
  const bool channels_last = read_axes(header.shape, axes, options, what, set);
  const auto total = static_cast<std::size_t>(header.shape[0]);
  const auto count = limited(total, options);
  const auto elements = header.count / total, bytes = item_bytes(header.type);
  const auto area = static_cast<std::size_t>(set.height * set.width);
  const auto channels = static_cast<std::size_t>(set.channels);
  const auto range = range_of(header.type, options);
  require_memory(set, count, elements * bytes, what);
  set.images.resize(count * elements);
  std::vector<std::uint8_t> image(elements * bytes);
  // Float arrays of a declared range may end a rounding beyond it.
  const double slack = options.values ? 1e-6 * (range.high - range.low) : 0;
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    next(image);
    for (std::size_t e = 0; e < elements; ++e) {
      const double value = item_value(header.type, image.data() + e * bytes);
      if (!(value >= range.low - slack && value <= range.high + slack))  // NaN fails too
        refuse_value(what, i, e, value, header.type, range, options);
      largest = std::max(largest, value);
      const auto to = channels_last ? e % channels * area + e / channels : e;
      const double share = (value - range.low) / (range.high - range.low);
      set.images[i * elements + to] = static_cast<float>(std::clamp(share, 0.0, 1.0));
    }
  }
  // Images from 0 to 1, for a network that seems to want bytes: black ones, if taken as they stand.
  if (options.values && !options.values->stated && is_float(header.type) && range.high > 2 && largest > 0 &&
      largest <= 1)
    fail_user(
        "{}: values up to {:g}, but the network takes {:g} to {:g}, by what its first step divides by; save "
        "the images "
        "as bytes, or say what it takes with --input-range LO,HI",
        what, largest, range.low, range.high);
}

std::vector<std::int32_t> labels_from_npy(const NpyHeader& header, const ReadNext& next,
                                          const std::string& what) {
  const auto& shape = header.shape;
  if (shape.size() != 1 && !(shape.size() == 2 && shape[1] == 1))
    fail_user("{}: labels of shape {}, (N) or (N, 1) expected: one class an image", what, shape_text(shape));
  const auto bytes = item_bytes(header.type);
  require_bytes(header.count * (bytes + sizeof(std::int32_t)), what);
  std::vector<std::uint8_t> all(header.count * bytes);
  next(all);
  std::vector<std::int32_t> labels(header.count);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double value = item_value(header.type, all.data() + i * bytes);
    if (!(value >= 0 && value < kMaxClasses) || value != std::floor(value))
      fail_user("{}: label {} is {}, a class from 0 to {} expected", what, i, value, kMaxClasses - 1);
    labels[i] = static_cast<std::int32_t>(value);
  }
  return labels;
}

namespace {

// IMAGES,LABELS cut at the comma that makes both of them files; the first comma where none does.
std::pair<std::string, std::string> cut_paths(const std::string& paths) {
  std::error_code ignored;
  const auto exists = [&](const std::string& path) { return std::filesystem::exists(path, ignored); };
  const auto first = paths.find(',');
  if (first == std::string::npos || exists(paths)) return {paths, ""};
  for (auto comma = first; comma != std::string::npos; comma = paths.find(',', comma + 1))
    if (exists(paths.substr(0, comma)) && exists(paths.substr(comma + 1)))
      return {paths.substr(0, comma), paths.substr(comma + 1)};
  return {paths.substr(0, first), paths.substr(first + 1)};
}

}  // namespace

Dataset load_npy(const std::string& paths, const LoadOptions& options) {
  const auto [images_path, labels_path] = cut_paths(paths);
  Dataset set;
  set.name = "npy";
  set.undivided = true;
  const auto images = open_source(images_path);
  const auto header = read_npy_header(images, images_path);
  if (!labels_path.empty()) {
    const auto labels = open_source(labels_path);
    const auto label_header = read_npy_header(labels, labels_path);
    if (!header.shape.empty() && !label_header.shape.empty() && label_header.shape[0] != header.shape[0])
      fail_user("{}: {} images, but {} has {} labels", images_path, header.shape[0], labels_path,
                label_header.shape[0]);
    set.labels =
        labels_from_npy(label_header, read_from(labels, label_header.begin, labels_path), labels_path);
  }
  images_from_npy(header, read_from(images, header.begin, images_path), Axes::channels_first, options,
                  images_path, set);
  if (set.labels.empty()) return set;
  const auto classes = 1 + *std::max_element(set.labels.begin(), set.labels.end());
  for (std::int32_t c = 0; c < classes; ++c) set.classes.push_back(std::to_string(c));
  set.labels.resize(set.count());
  return set;
}

}  // namespace velum::data
