// What stands between a network and its encrypted evaluation, told in the user's terms.
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "model/activations.h"
#include "model/obstacles.h"

namespace velum::model {

namespace {

constexpr const char* comparisons = "comparisons of encrypted numbers";
// In the words of PyTorch and of Keras.
constexpr const char* use_relu =
    "velum train does not replace it where it stands: train the network with ReLU in its place "
    "(torch.nn.ReLU, "
    "keras.layers.ReLU) or with a square, and start from that";
constexpr const char* use_batch_norm =
    "velum train does not replace it: train the network with batch normalisation in its place "
    "(torch.nn.BatchNorm2d, "
    "keras.layers.BatchNormalization), which is affine once trained";
constexpr const char* mixed_activations =
    "velum train does not replace it beside activations that are polynomials already: train the network with "
    "activations "
    "of one sort, and start from that";
constexpr const char* no_remedy = "velum train does not replace it: train the network without it";

bool is_one_of(const std::string& op, std::initializer_list<std::string_view> ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

Obstacle obstacle(const std::string& op) {
  if (is_one_of(op, {"LeakyRelu", "PRelu", "ThresholdedRelu", "Clip", "Abs", "Sign"}))
    return {"", op, comparisons, "", use_relu};
  if (is_one_of(op, {"Sigmoid", "Tanh", "Softplus", "Elu", "Selu", "Celu", "Erf", "Exp", "Gelu", "Softsign",
                     "HardSigmoid", "HardSwish", "Mish", "Swish"}))
    return {"", op, "a polynomial approximation of high degree", "", use_relu};
  if (is_one_of(op, {"Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin"}))
    return {"", op + " in the middle of the network",
            "exponentials, divisions or comparisons of encrypted numbers", "", no_remedy};
  if (is_one_of(op, {"LRN", "LayerNormalization", "InstanceNormalization", "GroupNormalization",
                     "RMSNormalization", "MeanVarianceNormalization"}))
    return {"", op, "a division by what the image itself holds", "", use_batch_norm};
  if (is_one_of(op, {"Max", "Min", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "Where",
                     "ReduceMax", "ReduceMin", "Shrink", "Xor"}))
    return {"", op, comparisons, "", no_remedy};
  return {"", op, "a function that is not a polynomial of its input", "", no_remedy};
}

std::optional<Obstacle> obstacle(const Node& n) {
  if (std::holds_alternative<Relu>(n.op)) return Obstacle{"", "Relu", comparisons, "best", ""};
  if (std::holds_alternative<MaxPool>(n.op)) return Obstacle{"", "MaxPool", comparisons, "best", ""};
  if (const auto* f = std::get_if<Function>(&n.op)) return obstacle(f->op);
  if (const auto* f = std::get_if<AxisFunction>(&n.op)) return obstacle(f->op);
  if (const auto* u = std::get_if<Unsupported>(&n.op)) return obstacle(u->op);
  return std::nullopt;
}

// Every kind once, with how many there are and one by name.
std::string by_kind(const std::vector<Obstacle>& all) {
  std::vector<std::string> kinds, counts;
  for (const auto& o : all) {
    if (std::find(kinds.begin(), kinds.end(), o.what) != kinds.end()) continue;
    kinds.push_back(o.what);
    const auto same =
        std::count_if(all.begin(), all.end(), [&](const Obstacle& p) { return p.what == o.what; });
    counts.push_back(fmt::format("{} {} ('{}'{})", same, o.what, o.node, same > 1 ? ", .." : ""));
  }
  return fmt::format("In all {} nodes stand in the way: {}", all.size(), fmt::join(counts, ", "));
}

// A file's name as a shell takes it.
std::string in_shell(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("/._-+=:@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return name;
  std::string quoted = "'";
  for (const char c : name) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string command(const std::string& recipe, const std::string& file) {
  return fmt::format("velum train --from {} --data DATASET --recipe {} --out polynomial.onnx",
                     file.empty() ? "NETWORK.onnx" : in_shell(file), recipe);
}

}  // namespace

std::vector<Obstacle> obstacles(const Graph& g) {
  std::vector<Obstacle> all;
  for (const auto& n : g.nodes)
    if (auto o = obstacle(n)) {
      o->node = n.name;
      all.push_back(std::move(*o));
    }
  // What training replaces by a quadratic that is fitted to it; the nodes of one activation count once.
  std::map<std::string, std::string> end_of;  // by node
  for (const auto& a : find_activations(g))
    for (const auto i : a.nodes) end_of[g.nodes[i].name] = a.output;
  std::set<std::string> told;
  std::erase_if(all, [&](Obstacle& o) {
    const auto found = end_of.find(o.node);
    if (found == end_of.end()) return false;
    o.recipe = "best";
    o.remedy.clear();
    return !told.insert(found->second).second;
  });
  // Training takes activations of one sort: quadratics of their own, or others.
  const bool quadratics = std::any_of(g.nodes.begin(), g.nodes.end(), [&](const Node& n) {
    return std::holds_alternative<Quadratic>(n.op) && !end_of.contains(n.name);
  });
  for (auto& o : all)
    if (quadratics && !o.recipe.empty() && o.what != "MaxPool") {
      o.recipe.clear();
      o.remedy = mixed_activations;
    }
  return all;
}

std::string obstacles_text(const std::vector<Obstacle>& all, const std::string& file) {
  if (all.empty()) return {};
  const auto& first = all[0];
  std::string text = fmt::format("node '{}' is {}, which is not polynomial: encrypted, it would need {}. ",
                                 first.node, first.what, first.needs);
  if (all.size() > 1) text += by_kind(all) + ". ";
  const auto lasting =
      std::find_if(all.begin(), all.end(), [](const Obstacle& o) { return o.recipe.empty(); });
  if (lasting != all.end())
    return text + (all.size() > 1
                       ? fmt::format("Of {} '{}', {}", lasting->what, lasting->node, lasting->remedy)
                       : lasting->remedy);
  const auto is_pool = [](const Obstacle& o) { return o.what == "MaxPool"; };
  const bool pools = std::any_of(all.begin(), all.end(), is_pool),
             functions = !std::all_of(all.begin(), all.end(), is_pool);
  return text + fmt::format("`{}` trains it with {}{}{} in their place", command(first.recipe, file),
                            functions ? "quadratic activations" : "", functions && pools ? " and " : "",
                            pools ? "average pooling" : "");
}

void require_polynomial(const Graph& g) {
  const auto all = obstacles(g);
  if (!all.empty()) fail_user("{}", obstacles_text(all, ""));
}

}  // namespace velum::model
