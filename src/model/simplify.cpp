#include "model/simplify.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "model/polynomial.h"

namespace velum::model {

namespace {

bool does_nothing(const Node& n, const Shape& in) {
  if (const auto* p = std::get_if<Pad>(&n.op)) return !p->top && !p->left && !p->bottom && !p->right;
  if (const auto* s = std::get_if<ScaleShift>(&n.op))
    return to_field(s->scale).is(1) && to_field(s->shift).is(0);
  if (const auto* c = std::get_if<Combine>(&n.op)) return n.inputs.size() == 1 && c->factors[0] == 1;
  if (const auto* t = std::get_if<Transpose>(&n.op)) return std::is_sorted(t->axes.begin(), t->axes.end());
  if (const auto* p = std::get_if<AveragePool>(&n.op))
    return p->kernel_h * p->kernel_w == 1 && p->stride_h * p->stride_w == 1;
  if (std::holds_alternative<Concat>(n.op)) return n.inputs.size() == 1;
  if (const auto* f = std::get_if<Function>(&n.op))  // no bounds
    return f->op == "Clip" && f->alpha <= -std::numeric_limits<float>::max() &&
           f->beta >= std::numeric_limits<float>::max();
  return std::holds_alternative<Reshape>(n.op) && n.shape == in;
}

// Reads of a removed layer's output become reads of its input, which inherits the range if it has none.
bool remove_identities(Graph& g) {
  std::unordered_map<std::string, std::string> stands_for;
  std::unordered_map<std::string, Shape> shapes{{g.input, g.input_shape}};
  std::vector<Node> kept;
  const auto resolve = [&](std::string& tensor) {
    if (const auto it = stands_for.find(tensor); it != stands_for.end()) tensor = it->second;
  };
  for (auto& n : g.nodes) {
    for (auto& t : n.inputs) resolve(t);
    if (does_nothing(n, shapes.at(n.inputs[0]))) {
      stands_for[n.output] = n.inputs[0];
      if (const auto r = g.ranges.find(n.output); r != g.ranges.end())
        g.ranges.try_emplace(n.inputs[0], r->second);
      continue;
    }
    shapes[n.output] = n.shape;
    kept.push_back(std::move(n));
  }
  resolve(g.output);
  g.nodes = std::move(kept);
  return !stands_for.empty();
}

bool drop_unused(Graph& g) {
  std::unordered_set<std::string> needed{g.output};
  std::vector<Node> kept;
  for (auto n = g.nodes.rbegin(); n != g.nodes.rend(); ++n) {
    if (!needed.contains(n->output)) continue;
    needed.insert(n->inputs.begin(), n->inputs.end());
    kept.push_back(std::move(*n));
  }
  const bool changed = kept.size() != g.nodes.size();
  std::reverse(kept.begin(), kept.end());
  g.nodes = std::move(kept);
  return changed;
}

// A ScaleShift that only shifts, by one number per output channel, as a bias. Empty: it is something else.
std::vector<double> as_bias(const ScaleShift& s, const Shape& shape) {
  if (!to_field(s.scale).is(1)) return {};
  for (std::size_t i = 1; i < s.shift.dims.size(); ++i)
    if (s.shift.dims[i] != 1) return {};
  const auto channels = static_cast<std::size_t>(shape[0]);
  std::vector<double> out(channels);
  for (std::size_t i = 0; i < channels; ++i)
    out[i] = static_cast<double>(s.shift.values[s.shift.values.size() == 1 ? 0 : i]);
  return out;
}

bool add_bias(Operation& op, const std::vector<double>& extra) {
  std::vector<float>* bias = nullptr;
  if (auto* c = std::get_if<Convolution>(&op)) bias = &c->bias;
  if (auto* d = std::get_if<Dense>(&op)) bias = &d->bias;
  if (!bias || extra.empty()) return false;
  bias->resize(extra.size(), 0.0F);
  for (std::size_t i = 0; i < extra.size(); ++i)
    (*bias)[i] = static_cast<float>(static_cast<double>((*bias)[i]) + extra[i]);
  return true;
}

bool add_padding(Operation& op, const Pad& pad) {
  auto* c = std::get_if<Convolution>(&op);
  if (!c) return false;
  c->pad_top += pad.top;
  c->pad_left += pad.left;
  c->pad_bottom += pad.bottom;
  c->pad_right += pad.right;
  return true;
}

bool join_transposes(Operation& op, const Transpose& inner) {
  auto* outer = std::get_if<Transpose>(&op);
  if (!outer) return false;
  for (auto& axis : outer->axes) axis = inner.axes[static_cast<std::size_t>(axis)];
  return true;
}

// Joins pairs of layers whose value in between has no other reader.
bool join_pairs(Graph& g) {
  std::unordered_map<std::string, std::size_t> uses, producer;
  ++uses[g.output];
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    for (const auto& t : g.nodes[i].inputs) ++uses[t];
    producer[g.nodes[i].output] = i;
  }
  bool changed = false;
  for (auto& node : g.nodes) {
    const auto before = producer.find(node.inputs[0]);
    if (before == producer.end() || uses.at(node.inputs[0]) != 1) continue;
    Node& first = g.nodes[before->second];
    if (const auto* shift = std::get_if<ScaleShift>(&node.op)) {
      if (!std::holds_alternative<Convolution>(first.op) && !std::holds_alternative<Dense>(first.op))
        continue;
      if (!add_bias(first.op, as_bias(*shift, node.shape))) continue;
      node.op = std::move(first.op);
    } else if (const auto* pad = std::get_if<Pad>(&first.op)) {
      if (!add_padding(node.op, *pad)) continue;
    } else {
      // Reshapes one after the other: only the last shape counts. Transposes there and back are nothing,
      // which the next round removes.
      const auto* inner = std::get_if<Transpose>(&first.op);
      const bool reshapes =
          std::holds_alternative<Reshape>(first.op) && std::holds_alternative<Reshape>(node.op);
      if (!reshapes && !(inner && join_transposes(node.op, *inner))) continue;
    }
    // `node` now does the work of both, at its own place; `first` is no longer read.
    node.inputs = first.inputs;
    first.op = Reshape{};
    changed = true;
  }
  return changed;
}

void check_finite(const Node& n, std::span<const float> values, const char* what) {
  for (const float v : values)
    if (!std::isfinite(v))
      fail_user("node '{}' ({}) has {} that are not finite once its constants are combined", n.name,
                operation_name(n.op), what);
}

// Weights were finite in the file, but a division or a product of constants need not be.
void check_weights(const Graph& g) {
  for (const auto& n : g.nodes) {
    if (const auto* c = std::get_if<Convolution>(&n.op)) {
      check_finite(n, c->weights, "weights");
      check_finite(n, c->bias, "biases");
    } else if (const auto* d = std::get_if<Dense>(&n.op)) {
      check_finite(n, d->weights, "weights");
      check_finite(n, d->bias, "biases");
    } else if (const auto* s = std::get_if<ScaleShift>(&n.op)) {
      check_finite(n, s->scale.values, "coefficients");
      check_finite(n, s->shift.values, "coefficients");
    } else if (const auto* q = std::get_if<Quadratic>(&n.op)) {
      check_finite(n, q->a.values, "coefficients");
      check_finite(n, q->b.values, "coefficients");
      check_finite(n, q->c.values, "coefficients");
    } else if (const auto* l = std::get_if<Linear>(&n.op)) {
      check_finite(n, l->weights, "weights");
      check_finite(n, l->bias, "biases");
    }
  }
}

}  // namespace

void simplify(Graph& g) {
  // Every change removes a layer or a reader, so this ends; the bound is against hostile graphs only.
  for (int round = 0; round < 64; ++round) {
    bool changed = remove_identities(g);
    changed |= recognise_polynomials(g);
    changed |= drop_unused(g);
    changed |= join_pairs(g);
    changed |= drop_unused(g);
    if (!changed) break;
  }
  check_weights(g);
}

}  // namespace velum::model
