// The IDX format of MNIST and its relatives: big-endian dimensions, then bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/byte_source.h"
#include "data/dataset.h"
#include "data/gzip.h"

namespace velum::data {

// Unsigned bytes of `rank` dimensions, plain or gzip, exactly as long as its header says; the values are read
// one after the other.
class IdxReader {
 public:
  IdxReader(ByteSource file, std::size_t rank, std::string what);
  const std::vector<std::uint32_t>& shape() const { return shape_; }
  std::uint64_t count() const { return total_ - header_; }  // product of the shape
  void read(std::span<std::uint8_t> out);
  void skip(std::uint64_t values);
  // Reads what is left, and checks that the file ends there.
  void finish();

 private:
  std::string what_;
  std::vector<std::uint32_t> shape_;
  std::uint64_t header_ = 0, total_ = 0, at_ = 0;  // bytes: of the header, of all, read so far
  ByteSource file_;
  std::unique_ptr<Inflater> inflater_;  // where it is packed
};

struct IdxArray {
  std::vector<std::uint32_t> shape;
  std::vector<std::uint8_t> values;  // product of shape
};
IdxArray read_idx(const ByteSource& file, std::size_t rank, const std::string& what);

// DIR with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte,
// each with or without .gz. Validation is the last 5,000 training images, training the other 55,000.
Dataset load_mnist(const std::string& folder, const LoadOptions& options);

}  // namespace velum::data
