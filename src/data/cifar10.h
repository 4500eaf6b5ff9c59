// CIFAR-10 in its official binary form: records of one label byte and 3,072 pixel bytes (red, green, blue
// planes).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/dataset.h"

namespace velum::data {

inline constexpr std::size_t kCifarPixels = 3 * 32 * 32;
inline constexpr std::size_t kCifarRecord = 1 + kCifarPixels;

// Number of records of one batch file; refuses a broken last record and labels over 9.
std::size_t check_cifar10(std::span<const std::uint8_t> file, const std::string& what);

// DIR or DIR/cifar-10-batches-bin with data_batch_1.bin to data_batch_5.bin and test_batch.bin. Validation is
// the last 5,000 training images, training the other 45,000.
Dataset load_cifar10(const std::string& folder, const LoadOptions& options);

}  // namespace velum::data
