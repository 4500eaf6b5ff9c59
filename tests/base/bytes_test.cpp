#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/temp_folder.h"

namespace velum {
namespace {

using testing::expect_user_error;

TEST(Bytes, ComeBackAsTheyWent) {
  ByteWriter w;
  w.put<std::uint8_t>(0xfe);
  w.put<std::int32_t>(-5);
  w.put<double>(-0.125);
  w.put_string("a name");
  const std::vector<std::uint64_t> values = {1, 2, std::numeric_limits<std::uint64_t>::max()};
  w.put_array(std::span<const std::uint64_t>(values));
  const auto bytes = w.take();
  ByteReader r(bytes, "file");
  EXPECT_EQ(r.get<std::uint8_t>(), 0xfe);
  EXPECT_EQ(r.get<std::int32_t>(), -5);
  EXPECT_EQ(r.get<double>(), -0.125);
  EXPECT_EQ(r.get_string(100), "a name");
  EXPECT_EQ(r.get_array<std::uint64_t>(3), values);
  r.expect_end();
}

TEST(Bytes, AreLittleEndian) {
  ByteWriter w;
  w.put<std::uint32_t>(0x01020304);
  EXPECT_EQ(w.bytes(), (std::vector<std::uint8_t>{4, 3, 2, 1}));
}

TEST(Bytes, NothingIsReadPastTheEnd) {
  ByteWriter w;
  w.put<std::uint16_t>(7);
  w.put_string("text");
  const auto bytes = w.take();
  for (std::size_t n = 0; n < bytes.size(); ++n)
    expect_user_error({"file: truncated"}, [&] {
      ByteReader r(std::span<const std::uint8_t>(bytes).first(n), "file");
      r.get<std::uint16_t>();
      r.get_string(100);
    });
}

TEST(Bytes, CountsAreCheckedBeforeAllocation) {
  ByteWriter w;
  w.put<std::uint64_t>(std::uint64_t{1} << 61);
  w.put<std::uint64_t>(0);
  const auto bytes = w.take();
  const auto read = [&](std::uint64_t most) {
    return ByteReader(bytes, "file").get_array<std::uint64_t>(most);
  };
  expect_user_error({"corrupt", "at most 1000"}, [&] { read(1000); });
  // Times eight it would wrap around to 0.
  expect_user_error({"truncated", "8 bytes left"}, [&] { read(std::numeric_limits<std::uint64_t>::max()); });
}

TEST(Bytes, BytesAfterTheEndAreRefused) {
  const std::vector<std::uint8_t> bytes(5);
  ByteReader r(bytes, "file");
  r.get<std::uint32_t>();
  EXPECT_EQ(r.remaining(), 1u);
  expect_user_error({"file: oversized: 1 bytes"}, [&] { r.expect_end(); });
}

}  // namespace
}  // namespace velum
