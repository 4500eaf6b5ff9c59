// Networks as Velum models: export, ONNX, import and the clear executor give torch's outputs.
#include "train/exchange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "base/error.h"
#include "model/execute.h"
#include "model/onnx.h"

namespace velum::train {
namespace {

constexpr const char* kKinds[] = {"relu", "square", "layer", "channel", "element"};
const std::pair<const char*, model::Shape> kNetworks[] = {
    {"cryptonets", {1, 28, 28}}, {"shallow", {1, 22, 22}},   {"perceptron", {1, 22, 22}},
    {"lenet5", {1, 28, 28}},     {"scnn", {3, 32, 32}},      {"vgg", {3, 16, 16}},
    {"resnet20", {3, 16, 16}},   {"resnet32", {3, 12, 12}},  {"resnet44", {3, 12, 12}},
    {"alexnet", {1, 63, 63}},    {"squeezenet", {1, 47, 47}}};

// Factors on the channels that keep the large ones small.
double width_of(const std::string& name) {
  return name == "alexnet" || name == "squeezenet" ? 0.05 : name.starts_with("resnet") ? 0.25 : 0.5;
}

// A network whose batch norms and coefficients are not at their initial values.
Network make_network(const char* name, const model::Shape& shape, const char* activation) {
  Network net(build_network({name, shape, 4, parse_activation(activation), width_of(name), 0.2, {}, false}));
  net->train();
  const auto images = torch::rand({32, shape[0], shape[1], shape[2]});
  net->fit_activations(images, {});
  torch::NoGradGuard no_grad;
  for (auto& p : net->parameters()) p.add_(0.02 * torch::randn(p.sizes()));
  for (int i = 0; i < 20; ++i) net->forward(images);
  net->eval();
  return net;
}

double largest_difference(const torch::Tensor& expected, const std::vector<double>& got) {
  const auto flat = expected.to(torch::kFloat64).reshape({-1}).contiguous();
  double worst = 0, size = 0;
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const double e = flat[i].item<double>();
    worst = std::max(worst, std::abs(e - got.at(static_cast<std::size_t>(i))));
    size = std::max(size, std::abs(e));
  }
  return worst / size;
}

class Exchange : public testing::TestWithParam<std::tuple<int, const char*>> {};

TEST_P(Exchange, ExportedImportedAndExecutedEqualsTorch) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(11);
  const auto& [name, shape] = kNetworks[std::get<0>(GetParam())];
  const std::string kind = std::get<1>(GetParam());
  auto net = make_network(name, shape, kind.c_str());
  const auto images = torch::rand({3, shape[0], shape[1], shape[2]}).contiguous();
  const auto expected = net->forward(images);

  auto graph = to_graph(*net);
  record_ranges(graph, net, images, 0.25);
  graph.metadata["data"] = "random";
  const auto bytes = model::to_onnx(graph);
  const auto loaded = model::load_onnx(bytes, "test model");
  EXPECT_EQ(loaded.metadata.at("data"), "random");
  EXPECT_EQ(loaded.input_shape, shape);

  // The clear executor.
  const std::span<const float> pixels(images.data_ptr<float>(), static_cast<std::size_t>(images.numel()));
  EXPECT_LT(largest_difference(expected, model::execute(loaded, pixels, 3)), 1e-5);
  // Back into torch.
  auto again = from_graph(loaded);
  const auto back = again->forward(images);
  EXPECT_LT((back - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>());

  // Every quadratic's input has a range that holds what the executor sees.
  int quadratics = 0;
  for (const auto& node : loaded.nodes) {
    if (!std::holds_alternative<model::Quadratic>(node.op)) continue;
    ++quadratics;
    ASSERT_TRUE(loaded.ranges.count(node.inputs[0])) << node.inputs[0];
    const auto& range = loaded.ranges.at(node.inputs[0]);
    EXPECT_LT(range.low, range.high);
    EXPECT_GT(range.rms, 0);
    EXPECT_GT(range.typical, 0);
  }
  EXPECT_EQ(quadratics, kind == "relu" ? 0 : static_cast<int>(net->activations().size()));
}

std::string case_name(const testing::TestParamInfo<std::tuple<int, const char*>>& tested) {
  std::string name = kNetworks[std::get<0>(tested.param)].first;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + "_" + std::get<1>(tested.param);
}
INSTANTIATE_TEST_SUITE_P(Networks, Exchange,
                         testing::Combine(testing::Range(0, static_cast<int>(std::size(kNetworks))),
                                          testing::ValuesIn(kKinds)),
                         case_name);

TEST(Ranges, AreTheObservedOnesWidened) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  auto net = make_network("cryptonets", {1, 28, 28}, "element");
  const auto images = torch::rand({300, 1, 28, 28});  // more than one batch of the observer
  double low = 1e30, high = -1e30;
  net->run(images, {}, [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
    if (layer.name != "conv1_norm") return;
    low = out.min().item<double>();
    high = out.max().item<double>();
  });
  auto graph = to_graph(*net);
  record_ranges(graph, net, images, 0.5);
  const auto& range = graph.ranges.at("conv1_norm");
  EXPECT_NEAR(range.low, low - 0.5 * (high - low), 1e-4);
  EXPECT_NEAR(range.high, high + 0.5 * (high - low), 1e-4);
}

TEST(Networks, HaveTheShapesTheyPromise) {
  const auto spec = build_network({"cryptonets", {1, 28, 28}, 10, ActivationKind::element, 1, 0, {}, false});
  for (const auto& layer : spec.layers) {
    if (layer.name == "flatten") {
      EXPECT_EQ(layer.shape, (model::Shape{845}));
    }
  }
  int activations = 0;
  for (const auto& layer :
       build_network({"scnn", {3, 32, 32}, 10, ActivationKind::element, 1, 0, {}, false}).layers)
    activations += std::holds_alternative<ActivationSpec>(layer.op);
  EXPECT_GE(activations, 5);
  EXPECT_THROW(build_network({"nonesuch", {1, 28, 28}, 10, ActivationKind::element, 1, 0, {}, false}), Error);
  EXPECT_THROW(build_network({"lenet5", {1, 4, 4}, 10, ActivationKind::element, 1, 0, {}, false}), Error);
  EXPECT_THROW(build_network({"lenet5", {1, 28, 28}, 1, ActivationKind::element, 1, 0, {}, false}), Error);
}

}  // namespace
TEST(CheckRanges, NamesTheFirstTensorThatRunsAwayAndKeepsTheFileReadable) {
  torch::NoGradGuard no_grad;
  auto net = make_network("cryptonets", {1, 28, 28}, "element");
  const auto images = torch::rand({4, 1, 28, 28});
  auto graph = to_graph(*net);
  record_ranges(graph, net, images, 0.25);
  const auto recorded = graph.ranges.size();
  EXPECT_EQ(check_ranges(graph), "");
  EXPECT_EQ(graph.ranges.size(), recorded);

  const auto& nodes = graph.nodes;
  graph.ranges.at(nodes[1].output).high = 3e5;
  auto text = check_ranges(graph);
  EXPECT_NE(text.find("'" + nodes[1].output + "' reaches 3.0e+05"), std::string::npos) << text;
  EXPECT_NE(text.find("--range-peak 0.1 --fixed-norms-last 1"), std::string::npos) << text;
  EXPECT_EQ(graph.ranges.size(), recorded);

  graph.ranges.at(nodes[2].output).rms = INFINITY;
  text = check_ranges(graph);
  EXPECT_NE(text.find("tensors that overflow: 1,"), std::string::npos) << text;
  EXPECT_NE(text.find("--start range"), std::string::npos) << text;
  EXPECT_FALSE(graph.ranges.contains(nodes[2].output));
  EXPECT_NO_THROW(model::load_onnx(model::to_onnx(graph), "test model"));
}

}  // namespace velum::train
