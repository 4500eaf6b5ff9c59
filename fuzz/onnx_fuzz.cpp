// Arbitrary bytes as an ONNX file: a network, or one of Velum's own errors, and nothing else. What is accepted must
// also be writable and readable again.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "model/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  velum::model::Graph g;
  try {
    g = velum::model::load_onnx(std::span(data, size), "fuzz");
    velum::model::require_polynomial(g);
  } catch (const velum::Error&) {
    return 0;
  }
  velum::model::load_onnx(velum::model::to_onnx(g), "again");
  return 0;
}
