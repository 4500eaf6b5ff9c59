// Arbitrary bytes as an ONNX file: a network, or the user's mistake. A network that could be evaluated
// encrypted can also be written, and read again.
#include "fuzz.h"
#include "model/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  model::Graph g;
  bool polynomial = false;
  fuzz::read_or_refuse([&] {
    g = model::load_onnx(fuzz::Bytes(data, size), "fuzz");
    model::require_polynomial(g);
    polynomial = true;
  });
  if (polynomial) model::load_onnx(model::to_onnx(g), "written by Velum");
  return 0;
}
