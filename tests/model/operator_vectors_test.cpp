// One small network for each side of every change of an operator's meaning, against the outputs of ONNX
// Runtime (tools/vectors/onnx_operators.py wrote both).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "model/execute.h"
#include "model/onnx.h"

namespace velum::model {
namespace {

const std::string folder = VELUM_SOURCE_DIR "/tests/vectors/onnx/";

struct Vector {
  std::string name;
  std::size_t images = 0;
  std::vector<float> inputs;
  std::vector<double> outputs;
};

template <typename T>
std::vector<T> numbers(std::istream& in, std::size_t count) {
  std::vector<T> v(count);
  for (auto& x : v) in >> x;
  return v;
}

std::vector<Vector> read_vectors() {
  std::ifstream in(folder + "cases.txt");
  std::vector<Vector> all;
  Vector v;
  std::size_t width = 0, outputs = 0;
  while (in >> v.name >> v.images >> width >> outputs) {
    v.inputs = numbers<float>(in, v.images * width);
    v.outputs = numbers<double>(in, v.images * outputs);
    all.push_back(v);
  }
  return all;
}

const std::vector<Vector>& vectors() {
  static const std::vector<Vector> all = read_vectors();
  return all;
}

class OperatorVectors : public ::testing::TestWithParam<std::size_t> {};

TEST_P(OperatorVectors, AreThoseOfOnnxRuntime) {
  Vector v = vectors()[GetParam()];
  if (v.name == "bytes_13")  // pixels are numbers from 0 to 1, whatever the file takes
    for (auto& x : v.inputs) x /= 255;
  const Graph g = with_tail(load_onnx(folder + v.name + ".onnx"));
  const auto y = execute(g, v.inputs, v.images);
  ASSERT_EQ(y.size(), v.outputs.size());
  double largest = 0;
  for (const double x : v.outputs) largest = std::max(largest, std::fabs(x));
  for (std::size_t i = 0; i < y.size(); ++i)
    EXPECT_NEAR(y[i], v.outputs[i], 1e-5 * largest) << "output " << i;
}

INSTANTIATE_TEST_SUITE_P(All, OperatorVectors, ::testing::Range<std::size_t>(0, vectors().size()),
                         [](const auto& test) { return vectors()[test.param].name; });

TEST(OperatorVectorsFile, IsThere) {
  EXPECT_GT(vectors().size(), 150U);
}

}  // namespace
}  // namespace velum::model
