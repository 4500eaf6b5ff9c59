// Cost is a unit test: the text of a plan holds levels, keys, multiply-adds, NTTs and bytes. Where a change
// is meant, run the tests once with VELUM_UPDATE_GOLDEN=1 and read the difference.
#include <gtest/gtest.h>

#include <cstdlib>

#include "plan/networks.h"
#include "system/file.h"

namespace velum::plan::testing {
namespace {

void expect_golden(const std::string& name, const model::Graph& graph,
                   const Request& request = fixed_request()) {
  const auto text = to_text(make_plan(graph, request).plan);
  const auto path = std::string(VELUM_SOURCE_DIR) + "/tests/plan/golden/" + name + ".txt";
  if (std::getenv("VELUM_UPDATE_GOLDEN")) write_file_atomically(path, text);
  const auto bytes = read_file(path);
  EXPECT_EQ(text, std::string(bytes.begin(), bytes.end())) << "against " << path;
}

TEST(Golden, Mnist) {
  expect_golden("mnist", mnist_network());
}

TEST(Golden, MnistAtHighPrecision) {
  auto r = fixed_request();
  r.precision_bits = 12;
  expect_golden("mnist-12-bits", mnist_network(), r);
}

TEST(Golden, MnistInTheStandardRing) {
  auto r = fixed_request();
  r.ring = ckks::RingType::standard;
  expect_golden("mnist-standard-ring", mnist_network(), r);
}

TEST(Golden, StridedConvolutions) {
  NetworkBuilder b({3, 16, 16}, 31);
  b.convolution(16, 3, 1, 1).varied_quadratic(0.1, 0.3).convolution(24, 3, 2, 1).varied_quadratic(0.1, 0.3);
  b.convolution(32, 3, 2, 1).varied_quadratic(0.1, 0.3).flatten().dense(10);
  expect_golden("strided-convolutions", b.finish());
}

TEST(Golden, PooledConvolutions) {
  NetworkBuilder b({3, 16, 16}, 32);
  model::AveragePool pool;
  pool.kernel_h = pool.kernel_w = pool.stride_h = pool.stride_w = 2;
  b.convolution(16, 3, 1, 1).varied_quadratic(0.1, 0.1).add(pool);
  b.convolution(24, 3, 1, 1).quadratic(0.1f, 0.1f).add(pool);
  b.convolution(32, 3, 1, 1).quadratic(0.1f, 0.1f).add(model::GlobalAveragePool{}).flatten().dense(10);
  expect_golden("pooled-convolutions", b.finish());
}

TEST(Golden, Residual) {
  NetworkBuilder b({3, 8, 8}, 33);
  b.convolution(8, 3, 1, 1).quadratic(0.1f, 0.4f);
  for (int block = 0; block < 2; ++block) {
    const auto skip = b.tensor();
    b.convolution(8, 3, 1, 1).quadratic(0.1f, 0.4f).convolution(8, 3, 1, 1);
    b.add(model::Combine{{1, 1}}, {b.tensor(), skip}).quadratic(0.1f, 0.4f);
  }
  b.add(model::GlobalAveragePool{}).flatten().dense(10);
  expect_golden("residual", b.finish());
}

TEST(Golden, EightSquares) {
  NetworkBuilder b({8}, 34);
  for (int i = 0; i < 8; ++i) b.dense(24).quadratic(0.1f, 0.2f);
  b.dense(10);
  expect_golden("eight-squares", b.finish());
}

}  // namespace
}  // namespace velum::plan::testing
