// velum eval: text, JSON, CSV; quantised; ReLU networks.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/command.h"
#include "data/make_files.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "support/graphs.h"

namespace velum::test {
namespace {

using nlohmann::json;

TEST(Eval, ReportsQuality) {
  const Workplace w;
  const auto outcome = w.must("velum eval model.onnx " + kData + " --json e.json");
  EXPECT_NE(outcome.out.find("accuracy   80.00 %"), std::string::npos) << outcome.out;
  const auto j = json::parse(w.read("e.json"));
  EXPECT_DOUBLE_EQ(j["accuracy"].get<double>(), 0.8);
  for (const auto* key : {"macro_f1", "auc", "f1", "precision", "recall", "class_auc", "confusion", "roc"})
    EXPECT_TRUE(j.contains(key)) << key;
}

TEST(Eval, QuantisedIsComparedWithTheNetwork) {
  const Workplace w;
  const auto outcome = w.must("velum eval model.onnx " + kData + " --quantised --json e.json --out p.csv");
  EXPECT_NE(outcome.out.find("quantised"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("difference"), std::string::npos);
  const auto j = json::parse(w.read("e.json"));
  EXPECT_DOUBLE_EQ(j["accuracy"].get<double>(), 0.8);
  const auto& q = j["quantised"];
  EXPECT_NEAR(q["difference"]["accuracy"].get<double>(), q["accuracy"].get<double>() - 0.8, 1e-12);
  // Rounded weights: close to the network, and not the network itself.
  EXPECT_GT(q["precision_bits"].get<double>(), 6);
  EXPECT_LT(q["precision_bits"].get<double>(), 40);
  EXPECT_GE(q["agreement"].get<double>(), 0.9);
  EXPECT_EQ(q["params"]["security_bits"], 128);
  EXPECT_EQ(lines(w.read("p.csv")).size(), Workplace::kImages + 1);

  // The predictions are those of the quantised network.
  w.must("velum eval model.onnx " + kData + " --out clear.csv");
  EXPECT_NE(w.read("p.csv"), w.read("clear.csv"));
}

TEST(Eval, PlanOptionsReachThePlan) {
  const Workplace w;
  w.must("velum eval model.onnx " + kData + " --quantised --security 256 --precision 14 --json e.json");
  const auto fine = json::parse(w.read("e.json"))["quantised"];
  w.must("velum eval model.onnx " + kData + " --quantised --precision 6 --json e.json");
  const auto rough = json::parse(w.read("e.json"))["quantised"];
  EXPECT_EQ(fine["params"]["security_bits"], 256);
  EXPECT_GT(fine["precision_bits"].get<double>(), rough["precision_bits"].get<double>());
  // Without a plan they would be ignored in silence.
  const auto ignored = w.run("velum eval model.onnx " + kData + " --precision 14");
  EXPECT_EQ(ignored.code, 2);
  EXPECT_NE(ignored.err.find("--quantised"), std::string::npos) << ignored.err;
}

// Labels of class folders follow the alphabet; a network that knows its classes' names has them in its own
// order.
TEST(Eval, ClassFoldersAreTakenByName) {
  const Workplace w;
  // The brightest third of the pixels decides, so that random images are of all classes.
  model::Dense thirds{.outputs = 3, .weights = std::vector<float>(48), .bias = std::vector<float>(3)};
  for (std::size_t k = 0; k < 15; ++k) thirds.weights[k % 3 * 16 + k] = 1;
  model::Graph graph;
  graph.name = "thirds";
  graph.input = "x";
  graph.input_shape = {1, 4, 4};
  graph.nodes = {{"flat", model::Reshape{}, {"x"}, "f", {16}}, {"logits", thirds, {"f"}, "y", {3}}};
  graph.output = "y";
  graph.metadata["classes"] = "owl/cat/dog";
  model::save_onnx(graph, w.folder() + "/named.onnx");
  const auto predictions = model::execute(graph, w.images(), Workplace::kImages);
  const std::vector<std::string> names{"owl", "cat", "dog"};
  // Every image in the folder of the class that the network gives it, but for the first one.
  std::set<std::string> used;
  for (std::size_t i = 0; i < Workplace::kImages; ++i) {
    std::vector<std::uint8_t> pixels;
    for (std::size_t k = 0; k < 16; ++k)
      pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * w.images()[i * 16 + k])));
    const auto row = predictions.begin() + static_cast<std::ptrdiff_t>(i * Workplace::kOutputs);
    const auto name = names[static_cast<std::size_t>(std::max_element(row, row + Workplace::kOutputs) - row)];
    used.insert(name);
    std::filesystem::create_directories(w.folder() + "/set/" + name);
    const auto png = velum::testing::png(1, 4, 4, pixels);
    w.write(fmt::format("set/{}/{}.png", name, i), std::string(png.begin(), png.end()));
  }
  ASSERT_GE(used.size(), 2u);
  w.must("velum eval named.onnx --data folder:set --json e.json");
  EXPECT_EQ(json::parse(w.read("e.json"))["accuracy"], 1.0);
  // One folder alone would be class 0 by the alphabet.
  for (const auto& name : used) {
    std::filesystem::create_directories(w.folder() + "/one");
    std::filesystem::rename(w.folder() + "/set/" + name, w.folder() + "/one/" + name);
    w.must("velum eval named.onnx --data folder:one --json e.json");
    EXPECT_EQ(json::parse(w.read("e.json"))["accuracy"], 1.0) << name;
    std::filesystem::rename(w.folder() + "/one/" + name, w.folder() + "/set/" + name);
  }
  std::filesystem::rename(w.folder() + "/set/" + *used.begin(), w.folder() + "/set/bird");
  const auto unknown = w.run("velum eval named.onnx --data folder:set");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("class bird is none of the network's (owl, cat, dog)"), std::string::npos)
      << unknown.err;
}

// The same classifier with ReLU and max pooling: not for ciphertexts, but eval takes it.
void save_relu_network(const std::string& path) {
  GraphBuilder builder({1, 4, 4});
  auto x = builder.convolution(builder.input(), same_padded(2), 1);
  x = builder.node(x, model::Relu{});
  x = builder.node(x, model::MaxPool{{2, 2, 2, 2}});
  x = builder.flatten(x, 8);
  x = builder.dense(x, 8, Workplace::kOutputs);
  auto graph = builder.finish(x);
  model::save_onnx(graph, path);
}

TEST(Eval, ReluAndMaxPoolNetworksAreEvaluated) {
  const Workplace w;
  save_relu_network(w.folder() + "/relu.onnx");
  w.must("velum eval relu.onnx " + kData + " --json e.json");
  EXPECT_EQ(json::parse(w.read("e.json"))["images"], Workplace::kImages);
  const auto quantised = w.run("velum eval relu.onnx " + kData + " --quantised");
  EXPECT_EQ(quantised.code, 2);
  EXPECT_NE(quantised.err.find("Relu"), std::string::npos) << quantised.err;
}

TEST(Eval, ATeacherStandsBesideTheNetwork) {
  const Workplace w;
  save_relu_network(w.folder() + "/relu.onnx");
  const auto outcome = w.must("velum eval model.onnx --teacher relu.onnx " + kData + " --json e.json");
  EXPECT_NE(outcome.out.find("teacher"), std::string::npos) << outcome.out;
  const auto j = json::parse(w.read("e.json"));
  w.must("velum eval relu.onnx " + kData + " --json relu.json");
  EXPECT_EQ(j["teacher"]["confusion"], json::parse(w.read("relu.json"))["confusion"]);
}

TEST(Eval, ThePageShowsNetworkAndTeacher) {
  const Workplace w;
  save_relu_network(w.folder() + "/relu.onnx");
  w.must("velum eval model.onnx --quantised --teacher relu.onnx " + kData + " --html page.html");
  const auto page = w.read("page.html");
  for (const auto* what : {"Evaluation: model.onnx", "Confusion matrix, network",
                           "Confusion matrix, quantised", "Confusion matrix, teacher", "ROC by class",
                           "F1 by class", "Activations", "80.00 %", "ring dimension"})
    EXPECT_NE(page.find(what), std::string::npos) << what;
  const auto nowhere = w.run("velum eval model.onnx " + kData + " --html nowhere/page.html");
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_NE(nowhere.err.find("nowhere/page.html"), std::string::npos);
}

TEST(Eval, LabelsOfAnotherTaskAreRefused) {
  const Workplace w;
  std::vector<std::int32_t> labels(Workplace::kImages, 1);
  labels[4] = 7;
  w.write("other.npy", npy_int32(labels));
  const auto outcome = w.run("velum eval model.onnx --data npy:images.npy,other.npy");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("image 4 has the label 7"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace velum::test
