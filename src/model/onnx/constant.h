// Constants of an ONNX file: weights, shapes, axes.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <vector>

#include "model/onnx/external_data.h"

namespace velum::model {

// An integer whose value is the number of images, which is free; and one that was computed from it. Marks
// that no exporter writes: INT64_MIN and its neighbours are open ends of slices that run backwards.
inline constexpr std::int64_t batch_extent = -0x5ac3'91e7'4d20'b86f;
inline constexpr std::int64_t batch_multiple = batch_extent + 1;
inline bool is_free(std::int64_t v) {
  return v == batch_extent || v == batch_multiple;
}

// With batch axis where there is one, as ONNX counts axes. Floats and integers are kept apart: weights must
// be floats, shapes and axes integers.
struct Constant {
  std::vector<std::int64_t> dims;
  bool integral = false;
  std::vector<double> floats;
  std::vector<std::int64_t> integers;
  int type = 0;  // TensorProto's, where the constant was read or cast; 0: unknown

  std::int64_t size() const { return static_cast<std::int64_t>(integral ? integers.size() : floats.size()); }
};

// Number of elements, checked: every extent at least 0, the product at most max_tensor_elements or, for
// weights read from a file, whatever the file really holds.
std::int64_t checked_count(const std::vector<std::int64_t>& dims, const std::string& what);

// Refuses sizes that do not match the data, types that hold no numbers, NaN and infinity.
Constant read_tensor(const onnx::TensorProto& t, const std::string& what, const ExternalFolder& folder = {});

// The element types whose numbers are kept as floats and as integers; any other is refused.
bool is_integral(int type);
bool is_real(int type);
std::string type_name(int type);

}  // namespace velum::model
