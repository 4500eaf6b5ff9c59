// The file rather than its network: weights beside it, several outputs, element types, unused weights, batch
// axes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "base/error.h"
#include "model/onnx/file.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

using namespace testing;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class ExternalData : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("velum_external_" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "inner");
    for (const auto& place : {folder_ / "weights.data", folder_ / "inner" / "weights.data"}) {
      const Floats values{9, 9, 1, 2, 3, 4};
      std::ofstream(place, std::ios::binary)
          .write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * 4));
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string load(const std::vector<std::pair<std::string, std::string>>& entries) {
    OnnxFile f({2});
    f.floats("w", {2, 2}, {}).node("MatMul", {"x", "w"}, "y");
    auto& w = *f.graph().mutable_initializer(0);
    w.clear_raw_data();
    w.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] : entries) {
      auto* e = w.add_external_data();
      e->set_key(key);
      e->set_value(value);
    }
    const auto bytes = f.bytes();
    const auto path = folder_ / "inner" / "net.onnx";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    try {
      const auto y = execute(load_onnx(path.string()), Floats{1, 10}, 1);
      return fmt::format("{} {}", y[0], y[1]);
    } catch (const Error& e) {
      EXPECT_EQ(e.exit_code(), 2);
      return e.what();
    }
  }

  fs::path folder_;
};

// The file's bytes and what they are parsed to, before either is there.
TEST(OnnxFiles, MustFitTheMemory) {
  const auto path = (fs::temp_directory_path() / ("velum_fits_" + std::to_string(::getpid()))).string();
  OnnxFile f({2});
  const auto bytes = f.node("Identity", {"x"}, "y").bytes();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  EXPECT_EQ(read_onnx_file(path, 2 * bytes.size()), std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  EXPECT_EQ(read_onnx_file(path, std::nullopt).size(), bytes.size()) << "where the system does not say";
  try {
    read_onnx_file(path, 2 * bytes.size() - 1);
    ADD_FAILURE() << "more memory is taken than there is";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("bytes are needed to read it"));
  }
  fs::remove(path);
}

TEST_F(ExternalData, IsReadAtItsOffset) {
  EXPECT_EQ(load({{"location", "weights.data"}, {"offset", "8"}, {"length", "16"}}), "31 42");
  EXPECT_EQ(load({{"location", "weights.data"}, {"offset", "8"}}), "31 42");
}

TEST_F(ExternalData, StaysInItsFolder) {
  for (const auto& location : {"../weights.data", "/etc/hostname", "", "a/../../weights.data", "."})
    EXPECT_THAT(load({{"location", location}, {"offset", "8"}}), HasSubstr("network's own folder"))
        << location;
  fs::create_symlink("../weights.data", folder_ / "inner" / "link.data");
  EXPECT_THAT(load({{"location", "link.data"}, {"offset", "8"}}), HasSubstr("network's own folder"));
}

TEST_F(ExternalData, IsChecked) {
  EXPECT_THAT(load({{"location", "absent.data"}}), HasSubstr("copy both files together"));
  EXPECT_THAT(load({{"location", "weights.data"}, {"offset", "12"}}), HasSubstr("bytes 12 to 28"));
  EXPECT_THAT(load({{"location", "weights.data"}, {"offset", "18446744073709551608"}}),
              HasSubstr("'weights.data'"));
  EXPECT_THAT(load({{"location", "weights.data"}, {"length", "8"}}), HasSubstr("its shape needs 16"));
  EXPECT_THAT(load({{"location", "weights.data"}, {"offset", "-8"}}), HasSubstr("whole number"));
}

TEST(Outputs, TheFirstOrTheOneNamed) {
  OnnxFile f({2});
  f.floats("w", {2, 2}, {1, 2, 3, 4}).node("MatMul", {"x", "w"}, "p").node("Neg", {"x"}, "k");
  f.graph().add_output()->set_name("p");
  f.graph().add_output()->set_name("k");
  const Graph g = f.load();
  EXPECT_EQ(g.output, "p");
  ASSERT_EQ(g.notes.size(), 1U);
  EXPECT_THAT(g.notes[0], HasSubstr("first of 2 outputs (p, k)"));
  LoadOptions options;
  options.output = "k";
  EXPECT_EQ(load_onnx(f.bytes(), "net", options).output, "k");
  options.output = "q";
  EXPECT_THROW(load_onnx(f.bytes(), "net", options), Error);
}

TEST(Inputs, LeftOpenAreStated) {
  OnnxFile f({1, 4, 4});
  for (const int axis : {2, 3}) f.input_shape().mutable_dim(axis)->set_dim_param("side");
  f.node("GlobalAveragePool", {"x"}, "y");
  LoadOptions options;
  options.shape = {1, 6, 8};
  EXPECT_EQ(load_onnx(f.bytes(), "net", options).input_shape, (Shape{1, 6, 8}));
  options.shape = {2, 6, 8};
  EXPECT_THROW(load_onnx(f.bytes(), "net", options), Error);
  EXPECT_THROW(f.load(), Error);
}

TEST(Inputs, OfKerasHaveTheirChannelsFirst) {
  OnnxFile f({6, 5, 3});
  f.node("Transpose", {"x"}, "t", {{"perm", Ints{0, 3, 1, 2}}});
  f.floats("w", {2, 3, 1, 1}, random_values(6)).node("Conv", {"t", "w"}, "y");
  const Graph g = f.load();
  EXPECT_TRUE(g.channels_last);
  EXPECT_EQ(g.input_shape, (Shape{3, 6, 5}));
  EXPECT_EQ(g.nodes.size(), 1U);  // there and back is nothing
  OnnxFile grey({8, 8, 1});
  grey.integers("s", {0, 1, 8, 8}).node("Reshape", {"x", "s"}, "t");
  grey.floats("w", {2, 1, 1, 1}, {1, 2}).node("Conv", {"t", "w"}, "y");
  EXPECT_EQ(grey.load().input_shape, (Shape{1, 8, 8}));
  EXPECT_EQ(grey.load().nodes.size(), 1U);
  // Eight channels of a feature map are what they say.
  OnnxFile map({8, 6, 3});
  map.floats("w", {2, 8, 1, 1}, random_values(16)).node("Conv", {"x", "w"}, "y");
  EXPECT_FALSE(map.load().channels_last);
}

TEST(Weights, UnusedMayHoldAnything) {
  OnnxFile f({2});
  f.floats("infinite", {1}, {std::numeric_limits<float>::infinity()}).node("Neg", {"x"}, "y");
  f.floats("short", {1000}, {1});
  EXPECT_EQ(f.load().nodes.size(), 1U);
}

// Images of one batch may not see each other, however it is written.
TEST(Batch, IsNeverMixed) {
  const auto refusal = [](OnnxFile& f) -> std::string {
    try {
      f.load();
    } catch (const Error& e) {
      return e.what();
    }
    return "read";
  };
  OnnxFile mean({2, 3});
  mean.node("ReduceMean", {"x"}, "m", {{"axes", Ints{0}}}).node("Sub", {"x", "m"}, "y");
  EXPECT_THAT(refusal(mean), HasSubstr("batch axis"));
  OnnxFile table({3});
  table.input_shape().mutable_dim(0)->set_dim_value(4);
  table.floats("c", {4, 3}, random_values(12)).node("Add", {"x", "c"}, "y");
  EXPECT_THAT(refusal(table), HasSubstr("image to image"));
  OnnxFile fold({4, 2});
  fold.integers("s", {2, -1}).node("Reshape", {"x", "s"}, "y");
  EXPECT_THAT(refusal(fold), HasSubstr("mix the images"));
  OnnxFile first({4});
  first.integers("a", {0}).integers("b", {1}).node("Slice", {"x", "a", "b", "a"}, "y");
  EXPECT_THAT(refusal(first), HasSubstr("batch axis"));
  OnnxFile softmax({4});
  softmax.node("Softmax", {"x"}, "h", {{"axis", 0}}).node("Neg", {"h"}, "y");
  EXPECT_THAT(refusal(softmax), HasSubstr("batch axis"));
}

TEST(Tail, KeepsAnotherAxisThanTheClasses) {
  OnnxFile f({1, 3, 2});
  f.floats("w", {1, 1, 1, 1}, {2}).node("Conv", {"x", "w"}, "h").node("Softmax", {"h"}, "y", {{"axis", 2}});
  const Graph g = f.load();
  EXPECT_TRUE(g.tail.empty());
  EXPECT_EQ(count_of<AxisFunction>(g), 1U);
  EXPECT_THROW(require_polynomial(g), Error);
}

TEST(Tail, TakesSqueezeLogAndClipWithIt) {
  OnnxFile f({4});
  f.floats("w", {4, 3}, random_values(12)).floats("low", {}, {1e-7F}).integers("a", {2});
  f.node("MatMul", {"x", "w"}, "h")
      .node("Softmax", {"h"}, "s", {{"axis", 1}})
      .node("Clip", {"s", "low"}, "c");
  f.node("Log", {"c"}, "l").node("Unsqueeze", {"l", "a"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(g.output, "h");
  EXPECT_EQ(g.tail.size(), 4U);
  const auto x = images_for(g, 2);
  const auto logits = execute(g, x, 2), whole = execute(with_tail(g), x, 2);
  double sum = 0;
  for (int i = 0; i < 3; ++i) sum += std::exp(logits[static_cast<std::size_t>(i)]);
  EXPECT_NEAR(whole[1], logits[1] - std::log(sum), 1e-12);
}

}  // namespace
}  // namespace velum::model
