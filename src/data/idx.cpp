#include "data/idx.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "data/memory_check.h"
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
      auto path = fmt::format("{}/{}{}{}{}", folder, stem, dash, rank, end);
      if (std::filesystem::is_regular_file(path)) return path;
    }
  fail_user("{}: no file {}-{} or {}-{}.gz; put the MNIST files there under their official names", folder,
            stem, rank, stem, rank);
}

}  // namespace

IdxReader::IdxReader(ByteSource file, std::size_t rank, std::string what)
    : what_(std::move(what)), header_(4 + 4 * rank), file_(std::move(file)) {
  std::vector<std::uint8_t> header(static_cast<std::size_t>(std::min(file_.size, header_)));
  file_.read_at(0, header);
  if (is_gzip(header)) {
    inflater_ = std::make_unique<Inflater>(file_, Deflate::gzip, what_);
    header.resize(static_cast<std::size_t>(header_));
    header.resize(inflater_->read(header));
  }
  if (header.size() < header_)
    fail_user("{}: truncated: {} bytes, an IDX header of {} dimensions has {}", what_, header.size(), rank,
              header_);
  if (header[0] != 0 || header[1] != 0 || header[2] != 0x08)
    fail_user("{}: not an IDX file of bytes: it begins {:02x} {:02x} {:02x}, 00 00 08 expected", what_,
              header[0], header[1], header[2]);
  if (header[3] != rank)
    fail_user("{}: {} dimensions, {} expected; are images and labels interchanged?", what_, header[3], rank);
  std::uint64_t size = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    const auto extent = big_endian(header.data() + 4 + 4 * d);
    shape_.push_back(extent);
    if (extent == 0) fail_user("{}: dimension {} is 0", what_, d);
    if (size > kMaxValues / extent)
      fail_user("{}: corrupt: dimension {} of {} makes the array too large", what_, d, extent);
    size *= extent;
  }
  total_ = header_ + size;
  at_ = header_;
  if (inflater_)
    check_inflated_size(total_, file_.size, what_);
  else if (file_.size < total_)
    fail_user("{}: truncated: {} bytes, {} expected; copy the file again", what_, file_.size, total_);
  else if (file_.size > total_)
    fail_user("{}: oversized: {} bytes, {} expected", what_, file_.size, total_);
}

void IdxReader::read(std::span<std::uint8_t> out) {
  if (inflater_)
    inflater_->read_all(out, total_);
  else
    file_.read_at(at_, out);
  at_ += out.size();
}

void IdxReader::skip(std::uint64_t values) {
  if (!inflater_) {
    at_ += values;
    return;
  }
  std::vector<std::uint8_t> passed(static_cast<std::size_t>(std::min<std::uint64_t>(values, 1 << 20)));
  while (values > 0) {
    const auto some =
        std::span(passed).first(static_cast<std::size_t>(std::min<std::uint64_t>(values, passed.size())));
    read(some);
    values -= some.size();
  }
}

void IdxReader::finish() {
  skip(total_ - at_);
  if (inflater_) inflater_->expect_end(total_);
}

IdxArray read_idx(const ByteSource& file, std::size_t rank, const std::string& what) {
  IdxReader reader(file, rank, what);
  require_bytes(reader.count(), what);
  IdxArray array{reader.shape(), std::vector<std::uint8_t>(static_cast<std::size_t>(reader.count()))};
  reader.read(array.values);
  reader.finish();
  return array;
}

Dataset load_mnist(const std::string& folder, const LoadOptions& options) {
  const std::string part = options.split == Split::test ? "t10k" : "train";
  const auto images_path = find_file(folder, part + "-images", "idx3-ubyte");
  const auto labels_path = find_file(folder, part + "-labels", "idx1-ubyte");
  IdxReader images(open_source(images_path), 3, images_path);
  IdxReader labels(open_source(labels_path), 1, labels_path);
  const auto& shape = images.shape();
  if (shape[0] != labels.shape()[0])
    fail_user("{}: {} images, but {} has {} labels", images_path, shape[0], labels_path, labels.shape()[0]);
  Dataset set;
  set.name = "mnist";
  set.channels = 1;
  set.height = shape[1];
  set.width = shape[2];
  for (int c = 0; c < 10; ++c) set.classes.push_back(std::to_string(c));
  const auto range = held_out_range(shape[0], options);
  const auto elements = set.elements();
  require_memory(set, range.count, labels.count(), images_path);
  std::vector<std::uint8_t> all_labels(labels.count());
  labels.read(all_labels);
  labels.finish();
  set.images.resize(range.count * elements);
  set.labels.resize(range.count);
  for (std::size_t i = 0; i < range.count; ++i) {
    set.labels[i] = all_labels[range.first + i];
    if (set.labels[i] > 9)
      fail_user("{}: label {} is {}, 0 to 9 expected", labels_path, range.first + i, set.labels[i]);
  }
  images.skip(range.first * elements);
  std::vector<std::uint8_t> image(elements);
  for (std::size_t i = 0; i < range.count; ++i) {
    images.read(image);
    for (std::size_t e = 0; e < elements; ++e)
      set.images[i * elements + e] = static_cast<float>(image[e]) / 255.0f;
  }
  images.finish();
  return set;
}

}  // namespace velum::data
