// Starting from a ReLU network, Velum's own or one exported elsewhere.
#include "train/warm_start.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/onnx.h"
#include "train/exchange.h"

namespace velum::train {
namespace {

NetworkRequest request(const char* name, ActivationKind kind) {
  return {.name = name, .input_shape = {1, 28, 28}, .classes = 4, .activation = kind};
}

Network relu_network(const char* name) {
  Network net(build_network(request(name, ActivationKind::relu)));
  net->train();
  for (int i = 0; i < 20; ++i) net->forward(torch::rand({32, 1, 28, 28}));
  net->eval();
  return net;
}

// A network as others export it: convolution with the batch norm folded in, ReLU, max pooling.
model::Graph foreign_graph() {
  const auto random = [](std::int64_t n) {
    const auto t = torch::randn({n}) * 0.3;
    return std::vector<float>(t.data_ptr<float>(), t.data_ptr<float>() + n);
  };
  model::Graph g;
  g.name = "foreign";
  g.input = "x";
  g.input_shape = {1, 28, 28};
  g.nodes = {
      {"/features/0",
       model::Convolution{
           .outputs = 4, .kernel_h = 5, .kernel_w = 5, .weights = random(100), .bias = random(4)},
       {"x"},
       "c",
       {4, 24, 24}},
      {"/features/1", model::Relu{}, {"c"}, "r", {4, 24, 24}},
      {"/features/2",
       model::MaxPool{{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}},
       {"r"},
       "p",
       {4, 12, 12}},
      {"/flatten", model::Reshape{}, {"p"}, "f", {576}},
      {"/fc", model::Dense{.outputs = 4, .weights = random(4 * 576), .bias = random(4)}, {"f"}, "y", {4}},
  };
  g.output = "y";
  return g;
}

TEST(WarmStart, CopiedFromTheModuleTheOutputsAreEqual) {
  torch::manual_seed(1);
  torch::NoGradGuard no_grad;
  auto from = relu_network("lenet5");
  Network to(build_network(request("lenet5", ActivationKind::relu)));
  const auto images = torch::rand({64, 1, 28, 28});
  copy_weights(*to, from, images);
  to->eval();
  EXPECT_TRUE(torch::equal(to->forward(images), from->forward(images)));
}

TEST(WarmStart, CopiedFromOnnxTheOutputsAreEqualAndTheNormsFitTheData) {
  torch::manual_seed(2);
  torch::NoGradGuard no_grad;
  auto trained = relu_network("lenet5");
  auto from = from_graph(model::load_onnx(model::to_onnx(to_graph(*trained)), "relu"));
  auto spec = build_network(request("lenet5", ActivationKind::element));
  const auto images = torch::rand({512, 1, 28, 28});
  Network to(spec);
  copy_weights(*to, from, images);
  for (auto& act : to->activations()) act->set_share(0);  // all ReLU still
  to->eval();
  const auto expected = trained->forward(images);
  EXPECT_TRUE(torch::allclose(to->forward(images), expected, 1e-4, 1e-4));
  to->train();  // the statistics of these very images
  EXPECT_TRUE(torch::allclose(to->forward(images), expected, 1e-2, 1e-2));
}

TEST(WarmStart, AForeignNetworkGetsAveragePoolsAndNormsAndKeepsItsFunction) {
  torch::manual_seed(3);
  torch::NoGradGuard no_grad;
  auto from = from_graph(model::load_onnx(model::to_onnx(foreign_graph()), "foreign"));
  EXPECT_TRUE(has_max_pool(from->spec()));
  const auto spec = trainable_spec(from->spec(), ActivationKind::channel);
  EXPECT_FALSE(has_max_pool(spec));
  Network to(spec);
  ASSERT_EQ(to->activations().size(), 1u);
  EXPECT_EQ(to->activations()[0]->a.numel(), 4);
  const auto images = torch::rand({300, 1, 28, 28});
  copy_weights(*to, from, images);
  for (auto& act : to->activations()) act->set_share(0);
  to->eval();
  // Up to the pool both compute the same.
  torch::Tensor mine, theirs;
  to->run(images, {}, [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
    if (std::holds_alternative<ActivationSpec>(layer.op)) mine = out;
  });
  from->run(images, {}, [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
    if (std::holds_alternative<ActivationSpec>(layer.op)) theirs = out;
  });
  EXPECT_TRUE(torch::allclose(mine, theirs, 1e-4, 1e-4));
  // And the result is a polynomial network that can be exported.
  const auto graph = model::load_onnx(model::to_onnx(to_graph(*to)), "student");
  model::require_polynomial(graph);
}

TEST(WarmStart, OtherLayersAreRefused) {
  auto from = relu_network("cryptonets");
  Network to(build_network(request("lenet5", ActivationKind::element)));
  EXPECT_FALSE(matching_layers(to->spec(), from->spec()));
  EXPECT_THROW(copy_weights(*to, from, torch::rand({4, 1, 28, 28})), Error);
  auto wider = request("cryptonets", ActivationKind::element);
  wider.width = 2;
  EXPECT_FALSE(matching_layers(build_network(wider), from->spec()));
  EXPECT_TRUE(matching_layers(build_network(request("cryptonets", ActivationKind::element)), from->spec()));
}

// A polynomial network as a file has it: norms folded, coefficients element by element.
Network polynomial_network(const char* name, ActivationKind kind) {
  Network net(build_network(request(name, kind)));
  torch::NoGradGuard no_grad;
  for (auto& act : net->activations())
    if (is_trainable(kind)) act->b.add_(0.1 * torch::randn_like(act->b));
  net->train();
  for (int i = 0; i < 20; ++i) net->forward(torch::rand({32, 1, 28, 28}));
  net->eval();
  return from_graph(model::load_onnx(model::to_onnx(to_graph(*net)), "polynomial"));
}

std::string refusal(const NetworkSpec& spec, ActivationKind kind) {
  try {
    trainable_spec(spec, kind);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  return "";
}

NetworkSpec loaded_spec(const model::Graph& graph) {
  return from_graph(model::load_onnx(model::to_onnx(graph), "m"))->spec();
}

TEST(WarmStart, APolynomialNetworkGoesOnWithItsFunction) {
  torch::manual_seed(4);
  torch::NoGradGuard no_grad;
  for (const auto kind :
       {ActivationKind::square, ActivationKind::layer, ActivationKind::channel, ActivationKind::element})
    for (const auto as : {kind, ActivationKind::element}) {
      auto from = polynomial_network("lenet5", kind);
      Network to(trainable_spec(from->spec(), as));
      const auto images = torch::rand({300, 1, 28, 28});
      copy_weights(*to, from, images);
      to->eval();
      EXPECT_EQ(to->activations().at(0)->kind(), as);
      EXPECT_TRUE(torch::allclose(to->forward(images), from->forward(images), 1e-3, 1e-3)) << to_string(kind);
    }
}

TEST(WarmStart, CoefficientsThatDifferCannotBeShared) {
  torch::manual_seed(5);
  auto from = polynomial_network("cryptonets", ActivationKind::element);
  for (const auto kind : {ActivationKind::square, ActivationKind::layer, ActivationKind::channel}) {
    Network to(trainable_spec(from->spec(), kind));
    try {
      copy_weights(*to, from, torch::rand({4, 1, 28, 28}));
      FAIL() << to_string(kind);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user);
      EXPECT_NE(std::string(e.what()).find("--activation element"), std::string::npos) << e.what();
    }
  }
}

TEST(WarmStart, NetworksOfTwoSortsOrNoneAreRefused) {
  auto polynomial = foreign_graph();
  polynomial.nodes[1].op = model::Quadratic{{{}, {0.1F}}, {{}, {0.5F}}, {{}, {0.1F}}};
  polynomial.nodes[2].op = model::AveragePool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  EXPECT_EQ(refusal(loaded_spec(polynomial), ActivationKind::element), "");
  const auto to_relu = refusal(loaded_spec(polynomial), ActivationKind::relu);
  EXPECT_NE(to_relu.find("cannot become"), std::string::npos) << to_relu;
  auto mixed = polynomial;
  mixed.nodes[2] = {"/features/2", model::Relu{}, {"r"}, "p", {4, 24, 24}};
  mixed.nodes[3].shape = {2304};
  mixed.nodes[4].op = model::Dense{.outputs = 4, .weights = std::vector<float>(4 * 2304, 0.01F), .bias = {}};
  const auto both = refusal(loaded_spec(mixed), ActivationKind::element);
  EXPECT_NE(both.find("polynomial already, but others are Relu"), std::string::npos) << both;
  auto linear = foreign_graph();
  linear.nodes[1].op = model::Reshape{};
  const auto none = refusal(loaded_spec(linear), ActivationKind::element);
  EXPECT_NE(none.find("no Relu"), std::string::npos) << none;
}

TEST(WarmStart, AnotherActivationIsRefusedByName) {
  auto graph = foreign_graph();
  graph.nodes[1].op = model::Unsupported{"Sigmoid"};
  try {
    from_graph(graph);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    for (const char* part : {"/features/1", "Sigmoid", "Relu"})
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

// The same function with weights and biases such that every activation sees ten times as much: relu(10 x) =
// 10 relu(x).
model::Graph magnified(model::Graph g, float by) {
  float so_far = 1;
  for (auto& node : g.nodes) {
    const bool last = &node == &g.nodes.back();
    const auto scale = [&](std::vector<float>& weights, std::vector<float>& bias) {
      const float own = last ? 1 / so_far : (so_far == 1 ? by : 1.0F);
      if (!last) so_far = by;
      for (auto& w : weights) w *= own;
      for (auto& b : bias) b *= last ? 1.0F : by;
    };
    if (auto* c = std::get_if<model::Convolution>(&node.op)) scale(c->weights, c->bias);
    if (auto* d = std::get_if<model::Dense>(&node.op)) scale(d->weights, d->bias);
  }
  return g;
}

TEST(WarmStart, WideNetworksAreBroughtToUnitSizeAndBack) {
  torch::manual_seed(7);
  torch::NoGradGuard no_grad;
  const auto images = torch::rand({256, 1, 28, 28});
  const auto plain = foreign_graph();
  const auto wide = magnified(plain, 50);
  auto from = from_graph(wide), small = from_graph(plain);
  ASSERT_TRUE(torch::allclose(from->forward(images), small->forward(images), 1e-3, 1e-3));
  EXPECT_TRUE(wide_activations(small, images).empty());
  const auto found = wide_activations(from, images);
  ASSERT_EQ(found.size(), 1u);
  for (const auto kind : {ActivationKind::relu, ActivationKind::element}) {
    auto spec = trainable_spec(from->spec(), kind, found);
    for (auto& layer : spec.layers)  // average pools would compute something else
      if (std::holds_alternative<model::AveragePool>(layer.op))
        layer.op = model::MaxPool{std::get<model::AveragePool>(layer.op)};
    Network to(spec);
    copy_weights(*to, from, images);
    for (auto& act : to->activations()) act->set_share(0);
    to->eval();
    EXPECT_TRUE(torch::allclose(to->forward(images), from->forward(images), 1e-3, 1e-3));
    double widest = 0;
    to->run(images, {}, [&](const LayerSpec& layer, const torch::Tensor& in, const torch::Tensor&) {
      if (std::holds_alternative<ActivationSpec>(layer.op))
        widest = std::max(widest, in.square().mean().sqrt().item<double>());
    });
    EXPECT_NEAR(widest, 1, 0.1);
    EXPECT_NE(restored_output(to->spec(), *found.begin()), *found.begin());
  }
}

}  // namespace
}  // namespace velum::train
