// velum eval: text, JSON, CSV; quantised; ReLU networks.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
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
  EXPECT_NE(outcome.err.find("image 4 has label 7"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace velum::test
