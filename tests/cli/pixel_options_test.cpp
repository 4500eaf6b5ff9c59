// What the options about pixels do to image files, alike in every command.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/command.h"
#include "cli/outputs.h"
#include "data/make_files.h"
#include "model/onnx.h"

namespace velum::test {
namespace {

namespace fs = std::filesystem;

// Its outputs are the pixels that it is given.
model::Graph identity_network() {
  model::Dense dense{.outputs = 16, .weights = std::vector<float>(256), .bias = {}};
  for (std::size_t k = 0; k < 16; ++k) dense.weights[17 * k] = 1;
  model::Graph g;
  g.name = "identity";
  g.input = "x";
  g.input_shape = {1, 4, 4};
  g.nodes = {{"flat", model::Reshape{}, {"x"}, "f", {16}}, {"out", dense, {"f"}, "y", {16}}};
  g.output = "y";
  return g;
}

void add_photo(const Workplace& w, const std::string& path, std::size_t height, std::size_t width,
               const std::vector<std::uint8_t>& pixels, int orientation) {
  const auto bytes = velum::testing::raw_png(0, 8, height, width, pixels,
                                             {{"eXIf", velum::testing::exif_orientation(orientation, true)}});
  fs::create_directories(fs::path(w.folder() + "/" + path).parent_path());
  w.write(path, std::string(bytes.begin(), bytes.end()));
}

// The outputs of one image by eval and run with options, and by encrypt and decrypt of a plan made with them.
void expect_alike(const Workplace& w, const std::string& options, const std::string& data,
                  const std::vector<double>& expected) {
  const std::string more = " --calibrate npy:range.npy " + options;
  w.must("velum eval net.onnx --data " + data + " --out p.csv " + options);
  expect_near(outputs_in(w, "p.csv"), expected, 1e-6);
  w.must("velum run net.onnx --data " + data + " --out r.csv" + more);
  expect_near(outputs_in(w, "r.csv"), expected, 0.01);
  w.must("velum plan net.onnx --out plan" + more);
  w.must("velum keygen --plan plan/client.plan --out keys --force");
  w.must("velum encrypt --plan plan/client.plan --key keys/secret/secret.key --out batch.vct --data " + data);
  w.infer();
  w.must("velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out d.csv");
  expect_near(outputs_in(w, "d.csv"), expected, 0.01);
}

// A wide image, black at its left and right: whole with black above and below it, its centre, or pressed
// together.
TEST(PixelOptions, AreFittedAlikeByEveryCommand) {
  const Workplace w;
  model::save_onnx(identity_network(), w.folder() + "/net.onnx");
  std::vector<float> range(32, 0);
  std::fill(range.begin() + 16, range.end(), 1.0F);
  w.write("range.npy", npy_floats(range, {2, 1, 4, 4}));
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 8; ++x) pixels.push_back(x >= 2 && x < 6 ? 200 : 0);
  add_photo(w, "wide/a.png", 4, 8, pixels, 1);
  w.must("velum eval net.onnx --data folder:wide --out p.csv");
  const auto pressed = outputs_in(w, "p.csv");
  for (std::size_t k = 0; k < 16; ++k) {
    EXPECT_NEAR(pressed[k], pressed[k % 4], 1e-6) << k;  // all rows are alike, and symmetric
    EXPECT_NEAR(pressed[k], pressed[4 * (k / 4) + 3 - k % 4], 1e-6) << k;
  }
  EXPECT_GT(pressed[0], 0.02);
  EXPECT_LT(pressed[0], 0.5 * pressed[1]);
  std::vector<double> whole(16, 0.0);
  for (std::size_t k = 4; k < 12; ++k) whole[k] = pressed[k % 4];
  expect_alike(w, "--resize crop", "folder:wide", std::vector<double>(16, 200.0 / 255));
  expect_alike(w, "--resize fit", "folder:wide", whole);
  // Who encrypts may say otherwise than the plan, of which fit was recorded.
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --out batch.vct --data folder:wide "
      "--resize stretch");
  w.infer();
  w.must("velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out d.csv");
  expect_near(outputs_in(w, "d.csv"), pressed, 0.01);
  for (const auto* command : {"eval net.onnx --out p.csv", "run net.onnx", "plan net.onnx"}) {
    const auto wrong = w.run(std::string("velum ") + command + " --resize squeeze" +
                             (command[0] == 'p' ? "" : " --data folder:wide"));
    EXPECT_EQ(wrong.code, 2) << command;
    EXPECT_NE(wrong.err.find("--resize"), std::string::npos) << wrong.err;
  }
}

// Orientation 6: what is stored as the first row stands at the right.
TEST(PixelOptions, LieAsTheOptionSaysInEveryCommand) {
  const Workplace w;
  model::save_onnx(identity_network(), w.folder() + "/net.onnx");
  w.write("range.npy", npy_floats(w.images(), {Workplace::kImages, 1, 4, 4}));
  std::vector<std::uint8_t> stored;
  std::vector<double> as_stored(16), upright(16);
  for (std::size_t k = 0; k < 16; ++k) stored.push_back(static_cast<std::uint8_t>(10 + 13 * k));
  for (std::size_t y = 0; y < 4; ++y)
    for (std::size_t x = 0; x < 4; ++x) {
      as_stored[4 * y + x] = stored[4 * y + x] / 255.0;
      upright[4 * y + x] = stored[4 * (3 - x) + y] / 255.0;
    }
  add_photo(w, "photos/a.png", 4, 4, stored, 6);
  expect_alike(w, "--exif ignore", "folder:photos", as_stored);
  expect_alike(w, "--exif apply", "folder:photos", upright);
  EXPECT_NE(w.must("velum eval net.onnx --data folder:photos --out p.csv").out.find("turned"),
            std::string::npos);
  expect_near(outputs_in(w, "p.csv"), upright, 1e-6);
}

// The same pixels, stated in two ways, in bytes and in fractions: each command folds them into the first
// layer once.
TEST(PixelOptions, RangeMeanAndDeviationAreFoldedOnceInEveryCommand) {
  const Workplace w;
  model::save_onnx(identity_network(), w.folder() + "/net.onnx");
  std::vector<std::uint8_t> pixels;
  std::vector<double> expected;
  for (std::size_t k = 0; k < 16; ++k) {
    pixels.push_back(static_cast<std::uint8_t>(5 + 16 * k));
    expected.push_back((pixels.back() - 51.0) / 102.0);
  }
  add_photo(w, "grey/a.png", 4, 4, pixels, 1);
  w.write("range.npy", npy_floats(w.images(), {Workplace::kImages, 1, 4, 4}));
  expect_alike(w, "--input-mean 0.2 --input-std 0.4", "folder:grey", expected);
  std::vector<float> bytes(32, 0);
  std::fill(bytes.begin() + 16, bytes.end(), 255.0F);
  w.write("range.npy", npy_floats(bytes, {2, 1, 4, 4}));
  expect_alike(w, "--input-range 0,255 --input-mean 51 --input-std 102", "folder:grey", expected);
}

}  // namespace
}  // namespace velum::test
