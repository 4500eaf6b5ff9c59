// The IDX format of MNIST and its relatives: big-endian dimensions, then bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace velum::data {

struct IdxArray {
  std::vector<std::uint32_t> shape;
  std::vector<std::uint8_t> values;  // product of shape
};

// Unsigned bytes of `rank` dimensions, plain or gzip; exactly as long as its header says.
IdxArray read_idx(std::span<const std::uint8_t> file, std::size_t rank, const std::string& what);

// DIR with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte,
// each with or without .gz. Validation is the last 5,000 training images, training the other 55,000.
Dataset load_mnist(const std::string& folder, const LoadOptions& options);

}  // namespace velum::data
