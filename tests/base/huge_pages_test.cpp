#include "base/huge_pages.h"

#include <gtest/gtest.h>

#include "temp_folder.h"

namespace velum {
namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(HugePages, ABalloonThatReportsFreePagesIsFound) {
  const testing::TempFolder devices;
  EXPECT_FALSE(reports_free_pages(devices / "nothing"));
  EXPECT_FALSE(reports_free_pages(devices.path()));
  // A disk with bit 5, and a balloon without it, with too few bits, and empty.
  devices.write("virtio0/device", bytes_of("0x0002\n"));
  devices.write("virtio0/features", bytes_of("0000010000\n"));
  devices.write("virtio1/device", bytes_of("0x0005\n"));
  for (const char* features : {"1111101111\n", "11111\n", ""}) {
    devices.write("virtio1/features", bytes_of(features));
    EXPECT_FALSE(reports_free_pages(devices.path())) << features;
  }
  devices.write("virtio1/features", bytes_of("0110010100\n"));
  EXPECT_TRUE(reports_free_pages(devices.path()));
}

TEST(HugePages, AreAskedOnce) {
  EXPECT_EQ(huge_pages_pay(), !reports_free_pages("/sys/bus/virtio/devices"));
  EXPECT_EQ(huge_pages_pay(), huge_pages_pay());
}

}  // namespace
}  // namespace velum
