// What the trainer exports, the planner takes: every network, polynomial, at sizes small enough for a test.
#include <gtest/gtest.h>

#include <tuple>

#include "plan/passes.h"
#include "train/exchange.h"

namespace velum::train {
namespace {

struct Case {
  const char* name;
  model::Shape shape;
  double width;
  int deepest;  // squares one after the other
};

class Planned : public testing::TestWithParam<Case> {};

TEST_P(Planned, InAsManyLevelsAsItHasActivationsInARow) {
  const auto& c = GetParam();
  torch::manual_seed(5);
  torch::NoGradGuard no_grad;
  Network net(build_network({.name = c.name,
                             .input_shape = c.shape,
                             .classes = 3,
                             .activation = ActivationKind::element,
                             .width = c.width}));
  net->train();
  const auto images = torch::rand({16, c.shape[0], c.shape[1], c.shape[2]});
  for (int i = 0; i < 20; ++i) net->forward(images);
  net->fit_activations(images, {});
  for (int i = 0; i < 20; ++i) net->forward(images);
  net->eval();
  auto graph = to_graph(*net);
  record_ranges(graph, net, images, 0.25);
  plan::Request request;
  request.memory_bytes = std::uint64_t{1} << 50;  // not the question here
  request.precision_bits = 1;                     // nor that: nothing is trained
  const auto plan = plan::make_plan(graph, request).plan;
  std::size_t squared = 0;
  for (const auto& step : plan.steps) squared = std::max<std::size_t>(squared, step.limbs);
  EXPECT_GE(squared, static_cast<std::size_t>(c.deepest));
  EXPECT_LE(squared, static_cast<std::size_t>(c.deepest) + 3);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Planned,
    testing::Values(Case{"cryptonets", {1, 28, 28}, 1, 2}, Case{"shallow", {1, 22, 22}, 1, 1},
                    Case{"perceptron", {1, 22, 22}, 0.5, 1}, Case{"lenet5", {1, 28, 28}, 0.5, 4},
                    Case{"scnn", {3, 32, 32}, 0.1, 5}, Case{"vgg", {3, 16, 16}, 0.1, 7},
                    Case{"resnet20", {3, 12, 12}, 0.15, 19}, Case{"alexnet", {1, 63, 63}, 0.02, 7},
                    Case{"squeezenet", {1, 47, 47}, 0.06, 17}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace velum::train
