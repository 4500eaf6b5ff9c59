// CIFAR-10 in its official binary form: records of one label byte and 3,072 pixel bytes (red, green, blue
// planes).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/dataset.h"

namespace velum::data {

inline constexpr std::size_t kCifarPixels = std::size_t{3} * 32 * 32;
inline constexpr std::size_t kCifarRecord = 1 + kCifarPixels;

// Number of records of one batch file; refuses a broken last record.
std::size_t check_cifar10_size(std::uint64_t bytes, const std::string& what);
// Refuses labels over 9 in these records, the first of which has number `first` in its file.
void check_cifar10(std::span<const std::uint8_t> records, std::size_t first, const std::string& what);

// DIR or DIR/cifar-10-batches-bin with data_batch_1.bin to data_batch_5.bin and test_batch.bin. Validation is
// the last 5,000 training images, training the other 45,000.
Dataset load_cifar10(const std::string& folder, const LoadOptions& options);

}  // namespace velum::data
