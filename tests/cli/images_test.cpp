// What is done to images before a network sees them, and what its outputs say: by the commands, end to end.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/command.h"
#include "cli/outputs.h"
#include "data/make_files.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "support/graphs.h"

namespace velum::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A padded convolution of three channels, a square, and scores.
model::Graph padded_network() {
  GraphBuilder builder({3, 4, 4});
  auto x = builder.convolution(builder.input(), same_padded(2), 3);
  x = builder.quadratic(x, {2, 4, 4});
  x = builder.flatten(x, 32);
  x = builder.dense(x, 32, 3);
  auto graph = builder.finish(x);
  graph.name = "padded";
  return graph;
}

// Mean and deviation a channel, folded into the first layer: the same as images that were normalised outside,
// with zeros around them, in the clear, with the engine's weights, and encrypted.
TEST(Pixels, MeanAndDeviationAreExactAtZeroPaddedBorders) {
  const Workplace w;
  const auto graph = padded_network();
  model::save_onnx(graph, w.folder() + "/net.onnx");
  const std::vector<double> mean{0.485, 0.456, 0.406}, deviation{0.229, 0.224, 0.225};
  constexpr std::size_t kImages = 6;
  std::vector<float> pixels(kImages * 48), normalised(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const auto c = i / 16 % 3;
    pixels[i] = static_cast<float>(i * 37 % 101) / 100;
    normalised[i] = static_cast<float>((static_cast<double>(pixels[i]) - mean[c]) / deviation[c]);
  }
  w.write("x.npy", npy_floats(pixels, {kImages, 3, 4, 4}));
  const auto expected = model::execute(graph, normalised, kImages);
  double largest = 0;
  for (const double y : expected) largest = std::max(largest, std::fabs(y));
  const std::string how = " --input-mean 0.485,0.456,0.406 --input-std 0.229,0.224,0.225 ";
  w.must("velum eval net.onnx --data npy:x.npy --out clear.csv" + how);
  expect_near(outputs_in(w, "clear.csv"), expected, 1e-5 * largest);
  w.must("velum eval net.onnx --quantised --calibrate npy:x.npy --data npy:x.npy --out q.csv" + how);
  expect_near(outputs_in(w, "q.csv"), expected, 0.02 * largest);

  // The plan holds them: encrypt has no such options, and takes the pixels as they are.
  w.must("velum plan net.onnx --calibrate npy:x.npy --out plan" + how);
  w.must("velum keygen --plan plan/client.plan --out keys");
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data npy:x.npy --out batch.vct");
  w.infer();
  w.must("velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out e.csv");
  expect_near(outputs_in(w, "e.csv"), expected, 0.02 * largest);
  const auto twice = w.run(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data npy:x.npy --out b.vct" +
      how);
  EXPECT_EQ(twice.code, 2);

  const auto count = w.run("velum eval net.onnx --data npy:x.npy --out no.csv --input-mean 1,2");
  EXPECT_EQ(count.code, 2);
  EXPECT_NE(count.err.find("--input-mean"), std::string::npos) << count.err;
}

// Arrays of the declared range feed the network as they are, through all commands; others are refused by the
// option's name.
TEST(Pixels, ADeclaredRangeIsThatOfArrays) {
  const Workplace w;
  std::vector<float> normalised;
  for (const float x : w.images()) normalised.push_back((x - 0.1307F) / 0.3081F);
  w.write("n.npy", npy_floats(normalised, {Workplace::kImages, 1, 4, 4}));
  const auto expected = model::execute(w.graph(), normalised, Workplace::kImages);
  const std::string range = " --input-range -0.4243,2.8216 ";
  w.must("velum eval model.onnx --data npy:n.npy --out p.csv" + range);
  expect_near(outputs_in(w, "p.csv"), expected, 1e-4);

  w.must("velum plan model.onnx --calibrate npy:n.npy --out plan" + range);
  w.keygen();
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data npy:n.npy --out batch.vct");
  w.infer();
  w.must("velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out e.csv");
  expect_near(outputs_in(w, "e.csv"), expected, 0.05);

  normalised[5] = 3;
  w.write("n.npy", npy_floats(normalised, {Workplace::kImages, 1, 4, 4}));
  const auto beyond = w.run("velum eval model.onnx --data npy:n.npy --out p.csv" + range);
  EXPECT_EQ(beyond.code, 2);
  EXPECT_NE(beyond.err.find("--input-range"), std::string::npos) << beyond.err;
  const auto sealed = w.run(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data npy:n.npy --out b.vct");
  EXPECT_EQ(sealed.code, 2);
  EXPECT_NE(sealed.err.find("--input-range"), std::string::npos) << sealed.err;
  for (const auto* wrong : {"1", "2,1", "0,x", "1,1"}) {
    const auto outcome =
        w.run(std::string("velum eval model.onnx --data npy:n.npy --out p.csv --input-range=") + wrong);
    EXPECT_EQ(outcome.code, 2) << wrong;
  }
}

// A network whose first step divides by about 255 takes bytes, and is given them: the same outputs as the
// network without that step on pixels from 0 to 1.
TEST(Pixels, ANetworkThatDividesBy255IsGivenBytes) {
  const Workplace w;
  for (const double divisor : {255.0, 256.0, 127.5}) {
    auto graph = w.graph();
    model::Node first{"divide",
                      model::ScaleShift{{{}, {static_cast<float>(1 / divisor)}}, {{}, {0}}},
                      {graph.input},
                      "divided",
                      graph.input_shape};
    for (auto& n : graph.nodes)
      for (auto& in : n.inputs)
        if (in == graph.input) in = "divided";
    graph.nodes.insert(graph.nodes.begin(), first);
    graph.ranges.clear();
    model::save_onnx(graph, w.folder() + "/bytes.onnx");
    std::vector<float> scaled;
    for (const float x : w.images())
      scaled.push_back(std::round(x * 255.0F) * 255.0F / 255.0F / static_cast<float>(divisor));
    const auto expected = model::execute(w.graph(), scaled, Workplace::kImages);
    std::vector<float> bytes;
    for (const float x : w.images()) bytes.push_back(std::round(x * 255.0F));
    w.write("b.npy", npy_floats(bytes, {Workplace::kImages, 1, 4, 4}));
    w.must("velum eval bytes.onnx --data npy:b.npy --out p.csv");
    expect_near(outputs_in(w, "p.csv"), expected, 1e-4);
    const auto shown = w.must("velum inspect bytes.onnx");
    EXPECT_NE(shown.out.find("0 to 255"), std::string::npos) << shown.out;
    // Floats from 0 to 1 would be black to it.
    const auto dark = w.run("velum eval bytes.onnx --data npy:images.npy --out p.csv");
    EXPECT_EQ(dark.code, 2);
    EXPECT_NE(dark.err.find("--input-range"), std::string::npos) << dark.err;
    // Who says so has them taken as they are.
    w.must("velum eval bytes.onnx --data npy:images.npy --out p.csv --input-range 0,1");
    std::vector<float> small;
    for (const float x : w.images()) small.push_back(x / static_cast<float>(divisor));
    expect_near(outputs_in(w, "p.csv"), model::execute(w.graph(), small, Workplace::kImages), 1e-4);
  }
  EXPECT_NE(w.must("velum inspect model.onnx").out.find("0 to 1 (assumed"), std::string::npos);
}

// One dense layer to a single output, weights such that it stays in (0, 1) for pixels from 0 to 1.
model::Graph single_output(double scale, double shift) {
  model::Dense dense{.outputs = 1, .weights = std::vector<float>(16), .bias = {static_cast<float>(shift)}};
  for (std::size_t k = 0; k < 16; ++k) dense.weights[k] = static_cast<float>((k % 2 ? -scale : scale) / 8);
  model::Graph g;
  g.name = "single";
  g.input = "x";
  g.input_shape = {1, 4, 4};
  g.nodes = {{"flat", model::Reshape{}, {"x"}, "f", {16}}, {"out", dense, {"f"}, "y", {1}}};
  g.output = "y";
  return g;
}

TEST(Outputs, ASingleProbabilityIsCutAtOneHalf) {
  const Workplace w;
  const auto graph = single_output(0.4, 0.5);
  const auto y = model::execute(graph, w.images(), Workplace::kImages);
  std::vector<std::int32_t> labels;
  for (const double p : y) labels.push_back(p > 0.5);
  ASSERT_TRUE(std::ranges::all_of(y, [](double p) { return p > 0 && p < 1; }));
  w.write("labels.npy", npy_int32(labels));
  model::save_onnx(graph, w.folder() + "/p.onnx");
  auto outcome = w.must("velum eval p.onnx " + kData + " --json e.json --out p.csv");
  EXPECT_EQ(json::parse(w.read("e.json"))["accuracy"], 1.0);
  EXPECT_NE(outcome.out.find("above 0.5"), std::string::npos) << outcome.out;
  EXPECT_EQ(cells(lines(w.read("p.csv"))[1])[1], std::to_string(labels[0]));

  outcome = w.must("velum eval p.onnx " + kData + " --threshold 0 --json e.json");
  EXPECT_NE(outcome.out.find("above 0 "), std::string::npos) << outcome.out;
  EXPECT_LT(json::parse(w.read("e.json"))["accuracy"].get<double>(), 1.0);

  // The plan records it, and the client decides by it.
  w.must("velum plan p.onnx --calibrate npy:images.npy --margin 0.1 --out plan");
  w.keygen();
  w.encrypt();
  w.infer();
  outcome = w.must(
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out d.csv " +
      kData + " --json d.json");
  EXPECT_NE(outcome.out.find("above 0.5"), std::string::npos) << outcome.out;
  EXPECT_GE(json::parse(w.read("d.json"))["quality"]["accuracy"].get<double>(), 0.9);
  outcome = w.must(
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out d.csv "
      "--threshold "
      "0.9");
  EXPECT_NE(outcome.out.find("above 0.9"), std::string::npos) << outcome.out;
  EXPECT_EQ(cells(lines(w.read("d.csv"))[1])[1], "0");
}

TEST(Outputs, ASingleScoreIsCutAtZero) {
  const Workplace w;
  const auto graph = single_output(4, 0);
  const auto y = model::execute(graph, w.images(), Workplace::kImages);
  std::vector<std::int32_t> labels;
  for (const double p : y) labels.push_back(p > 0);
  w.write("labels.npy", npy_int32(labels));
  model::save_onnx(graph, w.folder() + "/s.onnx");
  const auto outcome = w.must("velum eval s.onnx " + kData + " --json e.json");
  EXPECT_EQ(json::parse(w.read("e.json"))["accuracy"], 1.0);
  EXPECT_NE(outcome.out.find("above 0 "), std::string::npos) << outcome.out;
  const auto several = w.run("velum eval model.onnx " + kData + " --threshold 0.5");
  EXPECT_EQ(several.code, 2);
  EXPECT_NE(several.err.find("--threshold"), std::string::npos) << several.err;
}

TEST(Outputs, AMapIsCalledOne) {
  const Workplace w;
  GraphBuilder builder({1, 4, 4});
  model::save_onnx(builder.finish(builder.convolution(builder.input(), same_padded(3), 1)),
                   w.folder() + "/map.onnx");
  const auto outcome = w.must("velum eval map.onnx " + kData + " --out m.csv --json e.json");
  EXPECT_NE(outcome.out.find("a map"), std::string::npos) << outcome.out;
  EXPECT_FALSE(json::parse(w.read("e.json")).contains("accuracy"));
  EXPECT_EQ(outputs_in(w, "m.csv").size(), Workplace::kImages * 48);
}

TEST(Outputs, AccuracyOfChanceDrawsANote) {
  const Workplace w;
  constexpr std::size_t kMany = 60;
  std::vector<float> images;
  for (std::size_t i = 0; i < kMany; ++i)
    for (std::size_t e = 0; e < 16; ++e) images.push_back(w.images()[i % Workplace::kImages * 16 + e]);
  const auto y = model::execute(w.graph(), images, kMany);
  std::vector<std::int32_t> wrong, right;
  for (std::size_t i = 0; i < kMany; ++i) {
    const auto row = y.begin() + static_cast<std::ptrdiff_t>(3 * i);
    right.push_back(static_cast<std::int32_t>(std::max_element(row, row + 3) - row));
    wrong.push_back((right.back() + (i % 3 ? 1 : 0)) % 3);
  }
  w.write("images.npy", npy_floats(images, {kMany, 1, 4, 4}));
  w.write("labels.npy", npy_int32(wrong));
  EXPECT_NE(w.must("velum eval model.onnx " + kData).out.find("by chance"), std::string::npos);
  w.write("labels.npy", npy_int32(right));
  EXPECT_EQ(w.must("velum eval model.onnx " + kData).out.find("by chance"), std::string::npos);
}

void add_image(const Workplace& w, const std::string& path, std::size_t number) {
  std::vector<std::uint8_t> pixels;
  for (std::size_t k = 0; k < 16; ++k)
    pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * w.images()[number * 16 + k])));
  const auto png = velum::testing::png(1, 4, 4, pixels);
  fs::create_directories(fs::path(w.folder() + "/" + path).parent_path());
  w.write(path, std::string(png.begin(), png.end()));
}

TEST(Classes, FoldersAreMatchedByNameOrRefused) {
  const Workplace w;
  const auto y = model::execute(w.graph(), w.images(), Workplace::kImages);
  for (std::size_t i = 0; i < Workplace::kImages; ++i) {
    const auto row = y.begin() + static_cast<std::ptrdiff_t>(3 * i);
    const auto best = std::max_element(row, row + 3) - row;
    if (best != 1) add_image(w, fmt::format("set/class{}/{}.png", best, i), i);
  }
  // A class is missing, and nobody knows which: no score is better than a shifted one.
  for (const auto* command : {"velum eval model.onnx --data folder:set --json e.json",
                              "velum run model.onnx --data folder:set --json e.json"}) {
    const auto missing = w.run(command);
    EXPECT_EQ(missing.code, 2) << command;
    for (const auto* part : {"folder:set", "classes (class0", "3 apart", "--classes"})
      EXPECT_NE(missing.err.find(part), std::string::npos) << part << " in " << missing.err;
    EXPECT_FALSE(w.exists("e.json"));
  }
  // Outputs alone are written, with a note; nothing is scored.
  const auto outputs = w.must("velum eval model.onnx --data folder:set --json e.json --out p.csv");
  EXPECT_NE(outputs.out.find("nothing is scored"), std::string::npos) << outputs.out;
  EXPECT_FALSE(json::parse(w.read("e.json")).contains("accuracy"));
  EXPECT_EQ(cells(lines(w.read("p.csv"))[1])[2], "");
  w.write("names.txt", "class0\nclass1\nclass2\n");
  w.must("velum eval model.onnx --data folder:set --classes names.txt --json e.json --out p.csv");
  EXPECT_EQ(json::parse(w.read("e.json"))["accuracy"], 1.0);
  EXPECT_NE(w.read("p.csv").find(",class"), std::string::npos);
  w.write("names.txt", "class0\nclass2\n");
  EXPECT_EQ(w.run("velum eval model.onnx --data folder:set --classes names.txt").code, 2);
  w.write("names.txt", "class0\nclass0\nclass2\n");
  EXPECT_EQ(w.run("velum eval model.onnx --data folder:set --classes names.txt").code, 2);

  // Encryption needs no labels; who compares decrypted outputs with some needs the right ones.
  w.plan();
  w.keygen();
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data folder:set --out batch.vct");
  w.infer();
  const std::string decrypt =
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out d.csv --data "
      "folder:set";
  const auto shifted = w.run(decrypt);
  EXPECT_EQ(shifted.code, 2);
  EXPECT_NE(shifted.err.find("--classes"), std::string::npos) << shifted.err;
  w.write("names.txt", "class0\nclass1\nclass2\n");
  w.must(decrypt + " --classes names.txt");

  // Numbers in text order: as torchvision, with a note.
  for (const auto* name : {"1", "10", "9"}) add_image(w, fmt::format("numbers/{}/a.png", name), 0);
  EXPECT_NE(w.must("velum eval model.onnx --data folder:numbers").out.find("text order"), std::string::npos);
  fs::rename(w.folder() + "/numbers/10", w.folder() + "/numbers/5");
  EXPECT_EQ(w.must("velum eval model.onnx --data folder:numbers").out.find("text order"), std::string::npos);
}

// Names of files stay at home: whatever the server is given holds none of them, and the results are joined
// with them.
TEST(Names, AreWrittenBesideTheBatchAndNeverSent) {
  const Workplace w;
  const std::vector<std::string> names{"Doe_Jane_1961.png", "Roe, \"Rick\".png", "zz_Mustermann.png"};
  for (std::size_t i = 0; i < names.size(); ++i) add_image(w, "clinic/" + names[i], i);
  w.plan();
  w.keygen();
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data folder:clinic --out "
      "batch.vct");
  w.infer();
  struct stat s {};
  ASSERT_EQ(::stat((w.folder() + "/batch.vct.names.csv").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  const auto table = lines(w.read("batch.vct.names.csv"));
  ASSERT_EQ(table.size(), 4u);
  EXPECT_EQ(table[0], "index,path");
  EXPECT_EQ(table[1], "0,Doe_Jane_1961.png");
  // Seven bytes and more. Most of these files is uniform: three bytes of a name stand in ten million of them
  // by chance every second time, seven once in seven thousand million times.
  for (const auto* sent :
       {"batch.vct", "plan/server.plan", "plan/client.plan", "keys/public/eval.keys", "logits.vct"}) {
    const auto bytes = w.read(sent);
    ASSERT_FALSE(bytes.empty());
    for (const auto* part : {"Doe_Jane", "Jane_1961", "Roe, \"Rick", "Mustermann", "clinic/", "1961.png"})
      EXPECT_EQ(bytes.find(part), std::string::npos) << part << " in " << sent;
  }
  w.must(
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out p.csv "
      "--names "
      "batch.vct.names.csv");
  const auto rows = lines(w.read("p.csv"));
  EXPECT_EQ(rows[0], "index,predicted,true,class,probability,path,output_0,output_1,output_2");
  EXPECT_NE(rows[1].find("Doe_Jane_1961.png"), std::string::npos);
  EXPECT_NE(rows[2].find("\"Roe, \"\"Rick\"\".png\""), std::string::npos) << rows[2];
  ASSERT_EQ(::stat((w.folder() + "/p.csv").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  // Another batch's names are not taken.
  w.write("short.csv", "index,path\n0,a.png\n");
  const auto other = w.run(
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out p.csv "
      "--names "
      "short.csv");
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("--names"), std::string::npos) << other.err;
}

TEST(Images, WithoutLabelsAreEvaluatedAndRun) {
  const Workplace w;
  for (std::size_t i = 0; i < 3; ++i) add_image(w, fmt::format("flat/{}.png", i), i);
  w.must("velum eval model.onnx --data folder:flat --out p.csv");
  const auto rows = lines(w.read("p.csv"));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0], "index,predicted,true,class,probability,path,output_0,output_1,output_2");
  EXPECT_NE(rows[1].find("0.png"), std::string::npos);
  w.must("velum run model.onnx --data folder:flat --out r.csv");
  EXPECT_EQ(lines(w.read("r.csv")).size(), 4u);
  const auto nothing = w.run("velum eval model.onnx --data folder:flat");
  EXPECT_EQ(nothing.code, 2);
  EXPECT_NE(nothing.err.find("--out"), std::string::npos) << nothing.err;
}

TEST(Outputs, AProbabilityStandsBesideThem) {
  const Workplace w;
  const auto scores = model::execute(w.graph(), w.images(), Workplace::kImages);
  w.must("velum eval model.onnx " + kData + " --out p.csv");
  const auto rows = lines(w.read("p.csv"));
  for (std::size_t i = 0; i < Workplace::kImages; ++i) {
    const auto* row = scores.data() + 3 * i;
    const double best = std::max({row[0], row[1], row[2]});
    const double sum = std::exp(row[0] - best) + std::exp(row[1] - best) + std::exp(row[2] - best);
    EXPECT_NEAR(std::stod(cells(rows[i + 1])[4]), 1 / sum, 1e-4);
  }
}

}  // namespace
}  // namespace velum::test
