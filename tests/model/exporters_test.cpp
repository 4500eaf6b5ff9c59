// What today's exporters write, where VELUM_EXPORTS names the folder of such files: the outputs of ONNX
// Runtime.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "model/execute.h"
#include "model/onnx.h"

namespace velum::model {
namespace {

namespace fs = std::filesystem;

// A float32 array of numpy's format version 1, whatever its shape.
std::vector<float> read_npy(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  if (bytes.size() < 10) throw std::runtime_error("no array in " + path.string());
  const std::size_t header =
      10 + static_cast<std::uint8_t>(bytes[8]) + 256u * static_cast<std::uint8_t>(bytes[9]);
  std::vector<float> values((bytes.size() - header) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + header, values.size() * sizeof(float));
  return values;
}

struct Compared {
  std::size_t files = 0, equal = 0, planned = 0;
  std::vector<std::string> different, refused;
};

Compared compare(const fs::path& folder) {
  Compared c;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    const auto name = entry.path().filename().string();
    const bool keras = fs::exists(entry.path() / "K.onnx");
    const auto outputs = entry.path() / (keras ? "K.y.npy" : "D.y.npy");
    if (!fs::exists(outputs)) continue;
    ++c.files;
    std::string shape;
    std::ifstream(entry.path() / "shape") >> shape;
    auto x = read_npy(folder / ("x_" + shape + ".npy"));
    const auto y = read_npy(outputs);
    if (name == "mlp_uint8")
      for (auto& v : x) v = std::floor(v * 255) / 255;  // that network takes bytes
    try {
      const Graph g = load_onnx((entry.path() / (keras ? "K.onnx" : "D.onnx")).string());
      const auto mine = execute(with_tail(g), x, 16);
      double largest = 0, error = 0;
      for (const float v : y) largest = std::max(largest, std::fabs(static_cast<double>(v)));
      if (mine.size() != y.size()) error = INFINITY;
      for (std::size_t i = 0; i < std::min(mine.size(), y.size()); ++i)
        error = std::max(error, std::fabs(mine[i] - static_cast<double>(y[i])));
      if (error <= 1e-4 * largest)
        ++c.equal;
      else
        c.different.push_back(name);
    } catch (const Error& e) {
      c.refused.push_back(e.what());
    }
  }
  return c;
}

TEST(Exporters, NetworksComputeWhatOnnxRuntimeComputes) {
  const char* folder = std::getenv("VELUM_EXPORTS");
  if (!folder || !fs::is_directory(folder))
    GTEST_SKIP() << "VELUM_EXPORTS names no folder of exported networks";
  const auto c = compare(folder);
  EXPECT_GE(c.files, 63U);
  EXPECT_GE(c.equal, 60U);
  EXPECT_TRUE(c.different.empty()) << c.different[0];
  for (const auto& message : c.refused) EXPECT_NE(message.find("onnx: "), std::string::npos) << message;
}

// Files that were once refused, or read wrongly, where VELUM_CASES names their folder.
TEST(Exporters, WhatWasRefusedIsRead) {
  const char* folder = std::getenv("VELUM_CASES");
  if (!folder || !fs::is_directory(folder)) GTEST_SKIP() << "VELUM_CASES names no folder of small inputs";
  std::size_t files = 0;
  for (const auto* name : {"activations-eval", "batch-sentinel", "ceil-mode", "double-input", "external-data",
                           "nhwc-no-data", "opset-too-new", "opset-too-old", "shape-start-end",
                           "softmax-other-axis", "softmax-tail", "two-outputs", "unused-initialiser"}) {
    if (!fs::is_directory(fs::path(folder) / name)) continue;
    for (const auto& entry : fs::directory_iterator(fs::path(folder) / name)) {
      if (entry.path().extension() != ".onnx") continue;
      ++files;
      const Graph g = load_onnx(entry.path().string());
      const std::vector<float> image(static_cast<std::size_t>(element_count(g.input_shape)), 0.25F);
      for (const double y : execute(with_tail(g), image, 1)) EXPECT_TRUE(std::isfinite(y)) << entry.path();
      // A final softmax goes to the client, unless it runs along another axis than the classes'.
      const bool other_axis = std::string(name) == "softmax-other-axis";
      if (std::string(name).starts_with("softmax")) {
        EXPECT_EQ(g.tail.empty(), other_axis);
      }
    }
  }
  EXPECT_GE(files, 25U);
}

// Public networks, where VELUM_MODELS names their folder: read, or refused with a reason. Their outputs are
// compared by tools/check_models.py.
TEST(Exporters, PublicNetworksAreRead) {
  const char* folder = std::getenv("VELUM_MODELS");
  if (!folder || !fs::is_directory(folder)) GTEST_SKIP() << "VELUM_MODELS names no folder of public networks";
  std::size_t files = 0, read = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    ++files;
    try {
      const Graph g = load_onnx(entry.path().string());
      const std::vector<float> image(static_cast<std::size_t>(element_count(g.input_shape)), 0.25F);
      for (const double y : execute(with_tail(g), image, 1)) EXPECT_TRUE(std::isfinite(y)) << entry.path();
      ++read;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("node '"), std::string::npos) << e.what();
    }
  }
  EXPECT_GE(files, 31U);
  EXPECT_GE(read, 29U);
}

}  // namespace
}  // namespace velum::model
