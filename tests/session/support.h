// A network small enough that a whole encrypted run takes a moment.
#pragma once

#include <random>

#include "model/execute.h"
#include "model/onnx.h"
#include "support/graphs.h"
#include "velum/velum.h"

namespace velum::test {

inline constexpr std::size_t kElements = 12;

inline std::vector<float> drawn_images(std::size_t count, unsigned seed = 3) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> pixel(0, 1);
  std::vector<float> images(count * kElements);
  for (auto& x : images) x = pixel(random);
  return images;
}

// Images of 3x2x2.
inline Model small_model() {
  GraphBuilder b({3, 2, 2});
  const auto x = b.quadratic(b.dense(b.flatten(b.input(), kElements), kElements, 8), {8});
  auto graph = b.finish(b.dense(x, 8, 3));
  graph.name = "small";
  model::calibrate(graph, drawn_images(200), 200, 0.25);
  return Model::from_bytes(model::to_onnx(graph), "small.onnx");
}

inline double worst_difference(std::span<const double> a, std::span<const double> b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

// The text of the error, or nothing.
template <typename Call>
std::string refusal(const Call& call, ErrorKind kind = ErrorKind::user) {
  try {
    call();
  } catch (const Error& e) {
    if (e.kind() != kind) return "of another kind: " + std::string(e.what());
    return e.what();
  }
  return {};
}

}  // namespace velum::test
