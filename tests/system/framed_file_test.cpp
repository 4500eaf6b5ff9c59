#include "system/framed_file.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"
#include "system/file.h"
#include "system/memory.h"

namespace velum {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::TempFolder;

// A file of 6 GiB that takes no room on the disk: `head`, then zeros.
std::string sparse(const TempFolder& folder, const Bytes& head) {
  const auto path = folder.write("sparse", head);
  std::filesystem::resize_file(path, std::uint64_t{6} << 30);
  return path;
}

TEST(FramedFile, IsReadWhole) {
  TempFolder folder;
  for (const std::size_t payload : {std::size_t{0}, std::size_t{1000}, std::size_t{70} << 20}) {
    const auto file = wrap(FileType::server_plan, 1, Bytes(payload, 7));
    const auto path = folder.write("plan", file);
    EXPECT_EQ(read_framed_file(path, FileType::server_plan), file);
  }
}

TEST(FramedFile, WhatIsNoneTakesNoMemory) {
  TempFolder folder;
  const auto good = wrap(FileType::server_plan, 1, Bytes(100));
  const auto before = peak_rss_bytes();
  expect_user_error({"not a Velum file"},
                    [&] { read_framed_file(sparse(folder, {}), FileType::server_plan); });
  expect_user_error({"server plan", "evaluation keys"},
                    [&] { read_framed_file(sparse(folder, good), FileType::evaluation_keys); });
  expect_user_error({"oversized"}, [&] { read_framed_file(sparse(folder, good), FileType::server_plan); });
  EXPECT_LT(peak_rss_bytes(), before + (std::uint64_t{64} << 20));
}

// A head that announces what is there: only the checksum can tell. (128 MiB here, in place of minutes of
// hashing.)
TEST(FramedFile, ADamagedLargeFileTakesNoMemory) {
  TempFolder folder;
  auto head = wrap(FileType::server_plan, 1, {});
  const std::uint64_t size = std::uint64_t{128} << 20, payload = size - head.size();
  for (int i = 0; i < 8; ++i)
    head[12 + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(payload >> (8 * i));
  const auto path = folder.write("plan", head);
  std::filesystem::resize_file(path, size);
  const auto before = peak_rss_bytes();
  expect_user_error({"plan: damaged"}, [&] { read_framed_file(path, FileType::server_plan); });
  EXPECT_LT(peak_rss_bytes(), before + (std::uint64_t{32} << 20));
}

}  // namespace
}  // namespace velum
