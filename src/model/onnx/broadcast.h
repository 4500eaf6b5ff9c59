// Elementwise operators of several inputs: everything brought to one shape, as ONNX broadcasts.
#pragma once

#include <optional>

#include "model/onnx/call.h"

namespace velum::model {

struct Aligned {
  Shape shape;                       // of the result, without the batch axis
  int batch = 0;                     // of the result
  std::vector<std::string> tensors;  // of the computed inputs, in that shape; empty for constants
  std::vector<std::optional<Constant>> constants;  // of the others: dims right-aligned to `shape`
};
// Inputs first to last - 1, at least one of them computed. Refuses what would tell images apart.
Aligned align(Call& call, int first, int last);

// f of every value of a constant that broadcasts to `shape`.
template <typename F>
Coefficients coefficients(const Constant& c, const Shape& shape, F f) {
  Coefficients out;
  if (c.size() != 1) {
    out.dims.assign(shape.size(), 1);
    std::copy(c.dims.begin(), c.dims.end(), out.dims.end() - static_cast<std::ptrdiff_t>(c.dims.size()));
  }
  for (std::int64_t i = 0; i < c.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    out.values.push_back(
        static_cast<float>(f(c.integral ? static_cast<double>(c.integers[at]) : c.floats[at])));
  }
  return out;
}

// A layer of all of them: constants become tensors.
std::vector<std::string> as_tensors(Call& call, const Aligned& a);

// The common shape of constants or of shapes without batch axis; refuses lengths that do not agree.
Dims broadcast_dims(const Dims& x, const Dims& y);

}  // namespace velum::model
