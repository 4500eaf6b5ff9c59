// Activations other than ReLU: what torch computes of them, quadratics that are fitted to them, and that
// networks with each of them train.
#include "train/replaced_function.h"

#include <gtest/gtest.h>

#include "model/execute.h"
#include "model/obstacles.h"
#include "support/graphs.h"
#include "train/exchange.h"
#include "train/recipe.h"
#include "train/training_run.h"
#include "train/warm_start.h"

namespace velum::train {
namespace {

using model::Function;
using model::Multiply;
using model::ScaleShift;

ScaleShift affine(float scale, float shift) {
  return {{{}, {scale}}, {{}, {shift}}};
}

// One activation, in the forms of exporters.
using Build = std::string (*)(test::GraphBuilder& b, const std::string& x);
struct Form {
  const char* name;
  Build build;
};

std::string two(test::GraphBuilder& b, const std::string& x, const std::string& y, model::Operation op) {
  return b.node(std::vector<std::string>{x, y}, std::move(op));
}

const std::vector<Form>& forms() {
  static const std::vector<Form> all{
      {"LeakyRelu",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"LeakyRelu", 0.1, 0});
       }},
      {"PRelu",
       [](auto& b, const auto& x) {
         return two(b, x, b.node(x, affine(0, 0.25F)), Function{"PRelu", 0, 0});
       }},
      {"Elu",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Elu", 1, 0});
       }},
      {"Celu",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Celu", 0.7, 0});
       }},
      {"Selu",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Selu", 1.67326, 1.0507});
       }},
      {"Sigmoid",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Sigmoid", 0, 0});
       }},
      {"HardSigmoid",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"HardSigmoid", 0.2, 0.5});
       }},
      {"Tanh",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Tanh", 0, 0});
       }},
      {"Softplus",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Softplus", 0, 0});
       }},
      {"Softsign",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Softsign", 0, 0});
       }},
      {"ThresholdedRelu",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"ThresholdedRelu", 0.5, 0});
       }},
      {"Relu6",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Clip", 0, 6});
       }},
      {"Gelu",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Gelu", 0, 0});
       }},
      {"GeluByTanh",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Gelu", 1, 0});
       }},
      {"GeluByErf",
       [](auto& b, const auto& x) {
         const auto erf = b.node(b.node(x, affine(0.70710678F, 0)), Function{"Erf", 0, 0});
         return two(b, x, b.node(erf, affine(0.5F, 0.5F)), Multiply{});
       }},
      {"Mish",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Mish", 0, 0});
       }},
      {"HardSwish",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"HardSwish", 0, 0});
       }},
      {"Silu",
       [](auto& b, const auto& x) {
         return two(b, x, b.node(x, Function{"Sigmoid", 0, 0}), Multiply{});
       }},
      {"SoftplusByWhere",
       [](auto& b, const auto& x) {
         const auto large = two(b, x, b.node(x, affine(0, 20)), Function{"Greater", 0, 0});
         return b.node(std::vector<std::string>{large, x, b.node(x, Function{"Softplus", 0, 0})},
                       Function{"Where", 0, 0});
       }},
      {"Minimum",
       [](auto& b, const auto& x) {
         return two(b, x, b.node(x, affine(0, 1)), Function{"Min", 0, 0});
       }},
      {"Abs",
       [](auto& b, const auto& x) {
         return b.node(x, Function{"Abs", 0, 0});
       }},
  };
  return all;
}

model::Graph network(const Form& form) {
  test::GraphBuilder b({1, 28, 28});
  model::Convolution c = test::same_padded(2);
  c.stride_h = c.stride_w = 4;
  auto x = b.convolution(b.input(), c, 1);
  x = form.build(b, x);
  x = b.flatten(x, 2 * 7 * 7);
  x = b.dense(x, 2 * 7 * 7, 10);
  auto g = b.finish(x);
  g.name = form.name;
  return g;
}

class Replaced : public testing::TestWithParam<Form> {};

TEST_P(Replaced, TorchComputesWhatTheExecutorDoes) {
  const auto g = network(GetParam());
  const auto all = model::find_activations(g);
  ASSERT_EQ(all.size(), 1u);
  auto net = from_graph(g);
  torch::manual_seed(1);
  const auto images = torch::rand({4, 1, 28, 28});
  const auto expected =
      model::execute(g, {images.data_ptr<float>(), static_cast<std::size_t>(images.numel())}, 4);
  torch::NoGradGuard no_grad;
  const auto y = net->forward(images).contiguous();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(y.data_ptr<float>()[i], expected[i], 2e-5);
}

// Least squares to the function itself: no other coefficients are nearer to it, those of a fit to ReLU least
// of all.
TEST_P(Replaced, TheQuadraticIsFittedToIt) {
  const auto g = network(GetParam());
  const auto all = model::find_activations(g);
  const auto function = std::make_shared<ReplacedFunction>(g, all.at(0));
  torch::manual_seed(2);
  const auto x = torch::randn({256, 2, 7, 7});
  Activation act(ActivationKind::layer, std::vector<std::int64_t>{2, 7, 7}, function);
  torch::NoGradGuard no_grad;
  const CoefficientLimits wide{1e-9, 1e9};
  act->fit(x, wide);
  const auto target = (*function)(x);
  const auto error = [&](double da, double db, double dc) {
    const auto a = act->a.item<double>() + da, b = act->b.item<double>() + db, c = act->c.item<double>() + dc;
    return (a * x * x + b * x + c - target).square().mean().item<double>();
  };
  const double best = error(0, 0, 0);
  for (const double d : {-0.02, 0.02}) {
    EXPECT_GT(error(d, 0, 0), best);
    EXPECT_GT(error(0, d, 0), best);
    EXPECT_GT(error(0, 0, d), best);
  }
  // Half way of the replacement both count.
  act->set_share(0.25);
  const auto mixed = act->forward(x).y;
  const auto quadratic = act->a * x * x + act->b * x + act->c;
  EXPECT_TRUE(torch::allclose(mixed, 0.25 * quadratic + 0.75 * target, 1e-4, 1e-5));
}

// The command that `velum plan` prints: --from the network, recipe best, for one epoch.
TEST_P(Replaced, OneEpochOfTheAdvisedRecipeGivesAPolynomialNetwork) {
  const auto g = network(GetParam());
  const auto all = model::obstacles(g);
  ASSERT_FALSE(all.empty());
  for (const auto& o : all) ASSERT_EQ(o.recipe, "best") << o.what;
  auto options = defaults_of("best");
  options.epochs = 1;
  options.batch = 32;
  Network net = from_graph(g);
  torch::manual_seed(3);
  TrainingData data;
  data.name = "random";
  data.image_shape = {1, 28, 28};
  for (int k = 0; k < 10; ++k) data.classes.push_back(std::to_string(k));
  const auto samples = [](std::int64_t n) {
    return Samples{torch::rand({n, 1, 28, 28}), torch::arange(n).remainder(10)};
  };
  data.train = samples(64);
  data.validation = samples(20);
  const RunInput input{data, options, trainable_spec(net->spec(), ActivationKind::element), net,
                       Network{nullptr}};
  const auto result = run_training(input, nullptr);
  const auto trained = to_graph(*result.network);
  EXPECT_TRUE(model::obstacles(trained).empty());
}

INSTANTIATE_TEST_SUITE_P(Forms, Replaced, testing::ValuesIn(forms()),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace velum::train
