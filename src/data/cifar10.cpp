#include "data/cifar10.h"

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "data/selection.h"

namespace velum::data {

namespace {

std::string batch_folder(const std::string& folder, const std::string& file) {
  for (const char* below : {"", "/cifar-10-batches-bin"})
    if (std::filesystem::is_regular_file(folder + below + "/" + file)) return folder + below;
  fail_user("{}: no file {}; unpack cifar-10-binary.tar.gz there", folder, file);
}

}  // namespace

std::size_t check_cifar10(std::span<const std::uint8_t> file, const std::string& what) {
  if (file.empty() || file.size() % kCifarRecord != 0)
    fail_user(
        "{}: {} bytes, a multiple of {} expected (label and 3x32x32 pixels); is the file complete and the "
        "binary "
        "version?",
        what, file.size(), kCifarRecord);
  const auto count = file.size() / kCifarRecord;
  for (std::size_t i = 0; i < count; ++i)
    if (file[i * kCifarRecord] > 9)
      fail_user("{}: record {} has label {}, 0 to 9 expected; is it the CIFAR-10 binary version?", what, i,
                file[i * kCifarRecord]);
  return count;
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
    file = home + "/" + file;
    total += InputFile(file).size() / kCifarRecord;
  }
  const auto range = held_out_range(total, options);

  Dataset set;
  set.name = "cifar10";
  set.channels = 3;
  set.height = set.width = 32;
  set.classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};
  set.images.reserve(range.count * kCifarPixels);
  set.labels.reserve(range.count);
  std::size_t first = 0;  // of this file, in the whole
  for (const auto& file : files) {
    const auto here = InputFile(file).size() / kCifarRecord;
    const bool wanted = first < range.first + range.count && range.first < first + here;
    if (wanted || here == 0) {
      const auto bytes = read_file(file);
      check_cifar10(bytes, file);
      for (std::size_t i = 0; i < here; ++i) {
        if (first + i < range.first || first + i >= range.first + range.count) continue;
        const auto* record = bytes.data() + i * kCifarRecord;
        set.labels.push_back(record[0]);
        for (std::size_t p = 0; p < kCifarPixels; ++p)
          set.images.push_back(static_cast<float>(record[1 + p]) / 255.0f);
      }
    }
    first += here;
  }
  return set;
}

}  // namespace velum::data
