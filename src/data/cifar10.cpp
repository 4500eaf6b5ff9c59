#include "data/cifar10.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "data/byte_source.h"
#include "data/memory_check.h"
#include "data/selection.h"

namespace velum::data {

namespace {

std::string batch_folder(const std::string& folder, const std::string& file) {
  for (const char* below : {"", "/cifar-10-batches-bin"})
    if (auto home = folder + below; std::filesystem::is_regular_file(std::filesystem::path(home) / file))
      return home;
  fail_user("{}: no file {}; unpack cifar-10-binary.tar.gz there", folder, file);
}

}  // namespace

std::size_t check_cifar10_size(std::uint64_t bytes, const std::string& what) {
  if (bytes == 0 || bytes % kCifarRecord != 0)
    fail_user(
        "{}: {} bytes, a multiple of {} expected (label and 3x32x32 pixels); is the file complete and the "
        "binary version?",
        what, bytes, kCifarRecord);
  return static_cast<std::size_t>(bytes / kCifarRecord);
}

void check_cifar10(std::span<const std::uint8_t> records, std::size_t first, const std::string& what) {
  for (std::size_t i = 0; i < records.size() / kCifarRecord; ++i)
    if (records[i * kCifarRecord] > 9)
      fail_user("{}: record {} has label {}, 0 to 9 expected; is it the CIFAR-10 binary version?", what,
                first + i, records[i * kCifarRecord]);
}

Dataset load_cifar10(const std::string& folder, const LoadOptions& options) {
  std::vector<std::string> files;
  if (options.split == Split::test) {
    files = {"test_batch.bin"};
  } else {
    for (int b = 1; b <= 5; ++b) files.push_back(fmt::format("data_batch_{}.bin", b));
  }
  const auto home = batch_folder(folder, files[0]);
  std::size_t total = 0;
  for (auto& file : files) {
    file = fmt::format("{}/{}", home, file);
    total += check_cifar10_size(open_source(file).size, file);
  }
  const auto range = held_out_range(total, options);

  Dataset set;
  set.name = "cifar10";
  set.channels = 3;
  set.height = set.width = 32;
  set.classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  require_memory(set, range.count, 0, home);
  set.images.reserve(range.count * kCifarPixels);
  set.labels.reserve(range.count);
  constexpr std::size_t kAtATime = 1024;  // records
  std::vector<std::uint8_t> records;
  std::size_t before = 0;  // records of the files before this one
  for (const auto& file : files) {
    const auto source = open_source(file);
    const auto here = check_cifar10_size(source.size, file);
    const auto begin = std::max(range.first, before),
               end = std::min(range.first + range.count, before + here);
    for (auto first = begin; first < end; first += kAtATime) {
      records.resize(std::min(kAtATime, end - first) * kCifarRecord);
      source.read_at((first - before) * kCifarRecord, records);
      check_cifar10(records, first - before, file);
      for (std::size_t at = 0; at < records.size(); at += kCifarRecord) {
        set.labels.push_back(records[at]);
        for (std::size_t p = 1; p <= kCifarPixels; ++p)
          set.images.push_back(static_cast<float>(records[at + p]) / 255.0f);
      }
    }
    before += here;
  }
  return set;
}

}  // namespace velum::data
