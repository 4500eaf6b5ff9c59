#include "base/container.h"

#include <gtest/gtest.h>

#include "base/temp_folder.h"

namespace velum {
namespace {

using testing::Bytes;
using testing::expect_user_error;

const Bytes kPayload = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

TEST(Container, PayloadsComeBack) {
  for (const auto& payload : {kPayload, Bytes{}}) {
    const auto file = wrap(FileType::evaluation_keys, 3, payload);
    EXPECT_EQ(file.size(), payload.size() + 6 + 2 + 4 + 8 + 32);
    const auto back = unwrap(file, FileType::evaluation_keys, 3, "f");
    EXPECT_TRUE(std::equal(back.begin(), back.end(), payload.begin(), payload.end()));
  }
}

// Written down byte by byte: files of today must be readable by any later version of this format.
TEST(Container, TheFrameIsFixed) {
  const auto file = wrap(FileType::client_plan, 2, Bytes{0xaa});
  const Bytes expected = {'V', 'E', 'L', 'U', 'M', 0, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xaa};
  ASSERT_EQ(file.size(), expected.size() + 32);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), file.begin()));
}

TEST(Container, EveryTruncationIsRefused) {
  const auto file = wrap(FileType::server_plan, 1, kPayload);
  for (std::size_t n = 0; n < file.size(); ++n)
    expect_user_error({"f: truncated"},
                      [&] { unwrap(std::span(file).first(n), FileType::server_plan, 1, "f"); });
}

TEST(Container, BytesAfterTheEndAreRefused) {
  auto file = wrap(FileType::server_plan, 1, kPayload);
  file.push_back(0);
  expect_user_error({"f: oversized: 1 bytes"}, [&] { unwrap(file, FileType::server_plan, 1, "f"); });
}

TEST(Container, EveryFlippedBitIsRefused) {
  const auto file = wrap(FileType::server_plan, 1, kPayload);
  for (std::size_t at = 0; at < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto bad = file;
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1 << bit));
      expect_user_error({"f: "}, [&] { unwrap(bad, FileType::server_plan, 1, "f"); });
    }
}

TEST(Container, WrongKindsAreNamed) {
  const auto file = wrap(FileType::secret_key, 1, kPayload);
  expect_user_error({"holds secret key", "evaluation keys expected"},
                    [&] { unwrap(file, FileType::evaluation_keys, 1, "f"); });
  expect_user_error({"version 1", "version 2"}, [&] { unwrap(file, FileType::secret_key, 2, "f"); });
  expect_user_error({"not a Velum file"}, [&] { unwrap(Bytes(100), FileType::secret_key, 1, "f"); });
  auto damaged = file;
  damaged[22] ^= 1;
  expect_user_error({"checksum"}, [&] { unwrap(damaged, FileType::secret_key, 1, "f"); });
}

}  // namespace
}  // namespace velum
