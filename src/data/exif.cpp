#include "data/image_formats.h"

namespace velum::data {

namespace {

constexpr std::uint16_t kOrientation = 0x0112, kShort = 3;
constexpr std::size_t kEntry = 12;

// Integers in the byte order that the block declares; 0 beyond its end.
struct Fields {
  std::span<const std::uint8_t> bytes;
  bool big = false;
  std::uint32_t get(std::size_t at, std::size_t size) const {
    if (at > bytes.size() || size > bytes.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + (big ? i : size - 1 - i)];
    return value;
  }
};

}  // namespace

int exif_orientation(std::span<const std::uint8_t> block) {
  if (block.size() < 8) return 1;
  const bool big = block[0] == 'M' && block[1] == 'M';
  if (!big && !(block[0] == 'I' && block[1] == 'I')) return 1;
  const Fields f{block, big};
  if (f.get(2, 2) != 42) return 1;
  const std::size_t directory = f.get(4, 4);
  const auto entries = f.get(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const auto entry = directory + 2 + i * kEntry;
    if (entry + kEntry > block.size()) break;
    if (f.get(entry, 2) != kOrientation || f.get(entry + 2, 2) != kShort) continue;
    const auto value = f.get(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace velum::data
