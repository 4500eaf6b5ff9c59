#include "train/recipe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"

namespace velum::train {

namespace {

constexpr const char* kDirect =
    R"(Every ReLU is a quadratic from the first step on, and the network is trained as it is: the baseline of the
literature on networks for encrypted inference, from CryptoNets (Dowlin et al. 2016) on. Here the quadratics
start as least-squares fits to ReLU and a penalty keeps their inputs near zero; for the bare baseline switch
both off: --start fixed --range-penalty 0, or use --activation square.
)";

constexpr const char* kBeaa =
    R"(After Zhang et al., batch-oriented element-wise approximate activation (arXiv 2403.10920). From a trained
ReLU network, each element of a feature map gets a quadratic of its own, fitted to ReLU over what this element
sees; a batch of images shares the ciphertext of an element, so that this costs nothing when encrypted. First
the coefficients alone are trained, then all weights, both against the true labels and the ReLU network's
softened outputs (Hinton et al. 2015).
  ReLU network    --from or --teacher MODEL.onnx; else one is trained first (--teacher-epochs, 0: none)
  its weights     --warm-start=false leaves them out
  elements        --activation channel or layer for shared coefficients
  distillation    --distil-weight 0 for none
  order           --coefficients-first 0 trains everything from the start
)";

constexpr const char* kTransition =
    R"(After Baruch et al., training networks friendly to encryption (arXiv 2111.03362). From a trained ReLU network
with average pooling and batch norm, y = lambda poly(x) + (1 - lambda) relu(x) with lambda rising linearly from
0 to 1, then training goes on with the polynomials alone. Their coefficients are trained at a rate and scale of
their own; classes count the same; the ReLU network's softened outputs are a second target.
  ReLU network    --from or --teacher MODEL.onnx; else one is trained first (--teacher-epochs)
  lambda          --transition 0 replaces at once; --order layerwise one activation after the other
  coefficients    --coefficient-rate 1 --coefficient-scale 1: as the weights
  loss            --class-weights=false, --distil-weight 0, --feature-weight X adds feature matching
  rate            --schedule cosine in place of halving when validation stalls (--plateau-patience)
A network with max pooling is refused unless --teacher-epochs makes an average-pooling one of it first.
)";

constexpr const char* kBest =
    R"(Velum's own combination. The gradual replacement of `transition` with the element-wise quadratics and the
distillation of `beaa`; a penalty on the inputs of activations, since ranges decide the precision of encrypted
squares; a cosine schedule; an exponential average of the weights; and weights rounded as the encrypted engine
rounds them during the last epochs.
  replacement     --transition 0: at once
  elements        --activation channel or layer
  distillation    --distil-weight 0; --feature-weight X adds feature matching
  ranges          --range-penalty 0; if outliers run away, afterwards --from the network --transition 0
                  --range-peak 0.1 --fixed-norms-last 1 at a tenth of the rate pulls them in
  average         --average 0
  rounding        --quantise-last 0
  schedule        --schedule plateau or constant
)";

void apply_beaa(TrainOptions& o) {
  o.warm_start = true;
  o.teacher_epochs = 20;
  o.coefficients_first = 0.1;
  o.learning_rate = 1e-3;
}

void apply_transition(TrainOptions& o) {
  o.activation = ActivationKind::channel;
  o.warm_start = true;
  o.teacher_epochs = 20;
  o.transition = 0.5;
  o.learning_rate = 1e-3;
  o.coefficient_rate = 0.2;
  o.coefficient_scale = 0.1;
  o.batch = 200;
  o.schedule = "plateau";
  o.plateau_patience = 2;
  o.class_weights = true;
  o.distil_weight = 0.1;
  o.temperature = 10;
  o.range_penalty = 0;
}

void apply_best(TrainOptions& o) {
  o.warm_start = true;
  o.teacher_epochs = 20;
  o.transition = 0.3;
  o.average = 0.998;
  o.quantise_last = 0.1;
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = {
      {"direct", "quadratics from the first step, no ReLU network needed", kDirect, [](TrainOptions&) {}},
      {"beaa", "element-wise quadratics from a ReLU network, with distillation (arXiv 2403.10920)", kBeaa,
       apply_beaa},
      {"transition", "ReLUs become polynomials gradually (arXiv 2111.03362)", kTransition, apply_transition},
      {"best", "gradual, element-wise, distilled, averaged, aware of ranges and rounding", kBest, apply_best},
  };
  return all;
}

const Recipe& require_recipe(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& recipe : recipes()) {
    if (recipe.name == name) return recipe;
    names.push_back(recipe.name);
  }
  fail_user("recipe \"{}\": unknown; choose one of {}", name, fmt::join(names, ", "));
}

TrainOptions defaults_of(const std::string& recipe) {
  TrainOptions o;
  require_recipe(recipe).apply(o);
  o.recipe = recipe;
  return o;
}

std::string describe_recipes() {
  std::string text;
  for (const auto& recipe : recipes()) text += fmt::format("  {:<12}{}\n", recipe.name, recipe.summary);
  return text;
}

std::string describe_recipe(const std::string& name) {
  const auto& recipe = require_recipe(name);
  auto text = fmt::format("{}: {}\n\n{}", recipe.name, recipe.summary, recipe.text);
  const auto plain = describe(TrainOptions{});
  std::string changed;
  for (const auto& [option, value] : describe(defaults_of(name)))
    if (value != plain.at(option) && option != "recipe") changed += fmt::format(" --{} {}", option, value);
  return text +
         (changed.empty() ? "\nIt changes no default.\n" : fmt::format("\nIts defaults:{}\n", changed));
}

}  // namespace velum::train
