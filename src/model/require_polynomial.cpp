// What stands between a network and its encrypted evaluation, told in the user's terms.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "model/graph.h"

namespace velum::model {

namespace {

struct Remedy {
  std::string what;   // the operator in words
  std::string needs;  // what evaluating it on ciphertexts would take
  std::string recipe;
};

Remedy remedy_for(const Unsupported& u) {
  constexpr std::array smooth{"Sigmoid", "Tanh", "Softplus", "Elu",         "Selu",      "Celu", "Erf",
                              "Exp",     "Gelu", "Softsign", "HardSigmoid", "HardSwish", "Mish"};
  constexpr std::array kinked{"LeakyRelu", "PRelu", "ThresholdedRelu", "Clip", "Abs", "Sign"};
  if (std::find(smooth.begin(), smooth.end(), u.op) != smooth.end())
    return {u.op, "a polynomial approximation of high degree", "beaa"};
  if (std::find(kinked.begin(), kinked.end(), u.op) != kinked.end())
    return {u.op, "comparisons of encrypted numbers", "transition"};
  if (u.op == "Softmax" || u.op == "LogSoftmax" || u.op == "Hardmax" || u.op == "ArgMax")
    return {u.op + " in the middle of the network",
            "exponentials, divisions or comparisons of encrypted numbers", "direct"};
  return {u.op, "a function that is not a polynomial of its input", "best"};
}

}  // namespace

void require_polynomial(const Graph& g) {
  for (const auto& n : g.nodes) {
    Remedy r;
    if (std::holds_alternative<Relu>(n.op))
      r = {"Relu", "comparisons of encrypted numbers", "transition"};
    else if (std::holds_alternative<MaxPool>(n.op))
      r = {"MaxPool", "comparisons of encrypted numbers", "direct"};
    else if (const auto* u = std::get_if<Unsupported>(&n.op))
      r = remedy_for(*u);
    else
      continue;
    fail_user(
        "node '{}' is {}, which is not polynomial: encrypted, it would need {}. "
        "`velum train --recipe {}` trains the network with {} in its place",
        n.name, r.what, r.needs, r.recipe,
        std::holds_alternative<MaxPool>(n.op) ? "average pooling" : "a quadratic activation");
  }
}

}  // namespace velum::model
