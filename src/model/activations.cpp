#include "model/activations.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace velum::model {

namespace {

constexpr std::array kFunctions{"Abs",
                                "Celu",
                                "Clip",
                                "Div",
                                "Elu",
                                "Erf",
                                "Exp",
                                "Gelu",
                                "Greater",
                                "GreaterOrEqual",
                                "HardSigmoid",
                                "HardSwish",
                                "LeakyRelu",
                                "Less",
                                "LessOrEqual",
                                "Log",
                                "Max",
                                "Min",
                                "Mish",
                                "PRelu",
                                "Reciprocal",
                                "Selu",
                                "Sigmoid",
                                "Softplus",
                                "Softsign",
                                "Sqrt",
                                "Swish",
                                "Tanh",
                                "ThresholdedRelu",
                                "Where"};

bool is_function(const Node& n) {
  const auto* f = std::get_if<Function>(&n.op);
  return f && std::find(kFunctions.begin(), kFunctions.end(), f->op) != kFunctions.end();
}

bool works_on_elements(const Node& n) {
  return is_function(n) || std::holds_alternative<Relu>(n.op) || std::holds_alternative<ScaleShift>(n.op) ||
         std::holds_alternative<Quadratic>(n.op) || std::holds_alternative<Multiply>(n.op) ||
         std::holds_alternative<Combine>(n.op);
}

class Search {
 public:
  explicit Search(const Graph& g) : g_(g) {
    for (std::size_t i = 0; i < g.nodes.size(); ++i) {
      for (const auto& in : g.nodes[i].inputs) readers_[in].push_back(i);
      producer_[g.nodes[i].output] = i;
    }
  }

  std::vector<Activation> run() {
    std::vector<Activation> all;
    std::set<std::size_t> taken;
    for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
      if (!is_function(g_.nodes[i]) || taken.contains(i)) continue;
      auto found = around(i);
      const bool fresh =
          found && std::ranges::none_of(found->nodes, [&](auto n) { return taken.contains(n); });
      if (!fresh) continue;
      taken.insert(found->nodes.begin(), found->nodes.end());
      all.push_back(std::move(*found));
    }
    return all;
  }

 private:
  // The smallest group that holds the function, on the nearest tensor before it that makes one.
  std::optional<Activation> around(std::size_t function) const {
    constexpr int kFar = 12;
    std::string at = g_.nodes[function].inputs[0];
    for (int k = 0; k < kFar; ++k) {
      const auto from = producer_.find(at);
      const Node* p = from == producer_.end() ? nullptr : &g_.nodes[from->second];
      // Two functions in a row are one.
      const bool joined =
          p && (is_function(*p) || std::holds_alternative<Relu>(p->op)) && readers_.at(at).size() == 1;
      if (!joined)
        if (auto found = between(at, function)) return found;
      if (!p || !works_on_elements(*p)) break;
      at = p->inputs[0];
    }
    return std::nullopt;
  }

  std::optional<Activation> between(const std::string& input, std::size_t function) const {
    std::set<std::string> known{input};
    std::vector<std::size_t> closure;  // nodes that depend on nothing but the input
    for (std::size_t i = 0; i < g_.nodes.size(); ++i) {
      const auto& n = g_.nodes[i];
      if (!works_on_elements(n) ||
          !std::ranges::all_of(n.inputs, [&](const auto& t) { return known.contains(t); }))
        continue;
      known.insert(n.output);
      closure.push_back(i);
    }
    for (const auto last : closure)
      if (last >= function)
        if (auto found = ending(input, function, last, closure)) return found;
    return std::nullopt;
  }

  std::optional<Activation> ending(const std::string& input, std::size_t function, std::size_t last,
                                   const std::vector<std::size_t>& closure) const {
    Activation a{input, g_.nodes[last].output, {}};
    std::set<std::string> needed{a.output};
    for (auto i = closure.rbegin(); i != closure.rend(); ++i) {
      const auto& n = g_.nodes[*i];
      if (!needed.contains(n.output)) continue;
      a.nodes.push_back(*i);
      for (const auto& in : n.inputs)
        if (in != input) needed.insert(in);
    }
    std::reverse(a.nodes.begin(), a.nodes.end());
    const auto inside = [&](std::size_t i) { return std::ranges::binary_search(a.nodes, i); };
    if (!inside(function)) return std::nullopt;
    for (const auto i : a.nodes) {
      const auto& tensor = g_.nodes[i].output;
      const auto read = readers_.find(tensor);
      if (i != last && (tensor == g_.output || !std::ranges::all_of(read->second, inside)))
        return std::nullopt;
    }
    return is_whole(a, closure) ? std::optional(a) : std::nullopt;
  }

  // Tensors that the input was made of, element by element.
  std::set<std::string> origins(const std::string& input) const {
    std::set<std::string> all;
    std::vector<std::string> open{input};
    while (!open.empty() && all.size() < 64) {
      const auto from = producer_.find(open.back());
      open.pop_back();
      if (from == producer_.end() || !works_on_elements(g_.nodes[from->second])) continue;
      for (const auto& in : g_.nodes[from->second].inputs)
        if (all.insert(in).second) open.push_back(in);
    }
    return all;
  }

  // Whether what follows is something else: no further function, and no product, choice or sum with what the
  // output was made from, scales and shifts in between aside.
  bool is_whole(const Activation& a, const std::vector<std::size_t>& closure) const {
    const auto before = origins(a.input);
    std::vector<std::string> open{a.output};
    while (!open.empty()) {
      const auto read = readers_.find(open.back());
      open.pop_back();
      if (read == readers_.end()) continue;
      for (const auto i : read->second) {
        const auto& n = g_.nodes[i];
        if (std::holds_alternative<ScaleShift>(n.op)) open.push_back(n.output);
        if (is_function(n) && n.inputs.size() == 1) return false;
        const bool sum = std::holds_alternative<Combine>(n.op);
        if (n.inputs.size() < 2 || (!sum && !std::holds_alternative<Multiply>(n.op) && !is_function(n)))
          continue;
        const bool inside = std::ranges::binary_search(closure, i);
        // x + f(x) is a residual connection.
        const bool with_input = std::ranges::find(n.inputs, a.input) != n.inputs.end();
        if (inside && !(sum && with_input)) return false;
        // The input's own origin: x * f(x / 2).
        if (!inside && !sum &&
            std::ranges::any_of(n.inputs, [&](const auto& t) { return before.contains(t); }))
          return false;
      }
    }
    return true;
  }

  const Graph& g_;
  std::map<std::string, std::vector<std::size_t>> readers_;
  std::map<std::string, std::size_t> producer_;
};

}  // namespace

std::vector<Activation> find_activations(const Graph& g) {
  return Search(g).run();
}

bool is_trainable(const Operation& op) {
  return !std::holds_alternative<Unsupported>(op) && !std::holds_alternative<Function>(op) &&
         !std::holds_alternative<AxisFunction>(op);
}

}  // namespace velum::model
