// Constants of an ONNX file: weights, shapes, axes.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <vector>

namespace velum::model {

// An integer whose value is the free batch axis, or was computed from it.
inline constexpr std::int64_t batch_extent = INT64_MIN;

// With batch axis where there is one, as ONNX counts axes. Floats and integers are kept apart: weights must
// be floats, shapes and axes integers.
struct Constant {
  std::vector<std::int64_t> dims;
  bool integral = false;
  std::vector<double> floats;
  std::vector<std::int64_t> integers;

  std::int64_t size() const { return static_cast<std::int64_t>(integral ? integers.size() : floats.size()); }
};

// Number of elements, checked: every extent at least 0, the product at most max_tensor_elements or, for
// weights read from a file, whatever the file really holds.
std::int64_t checked_count(const std::vector<std::int64_t>& dims, const std::string& what);

// Refuses external data, sizes that do not match the data, types other than float, double and integers, NaN,
// infinity.
Constant read_tensor(const onnx::TensorProto& t, const std::string& what);

}  // namespace velum::model
