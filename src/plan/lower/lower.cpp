#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "base/error.h"
#include "plan/lower/fold.h"
#include "plan/lower/network.h"
#include "plan/lower/ranges.h"
#include "plan/lower/sums.h"

namespace velum::plan {

namespace {

// A tensor that was materialised: element e of the tensor is element place[e] of the vector, minus shift[e].
struct Materialised {
  std::uint32_t vector = 0;
  std::vector<std::uint32_t> place;
  std::vector<double> shift;
};

// Elements of a tensor to be summed by its one reader, a pool.
struct PendingSum {
  EvenSquares squares;
  Materialised vector;
};

class Lowering {
 public:
  Lowering(const model::Graph& graph, Pools pools) : graph_(graph), pools_(pools) {}

  Network run() {
    start_with_input();
    count_uses();
    for (const auto& node : graph_.nodes) {
      if (uses_[node.output] == 0) continue;
      tensors_[node.output] = lower_node(node);
      for (const auto& name : node.inputs)
        if (--uses_[name] == 0) tensors_.erase(name);
    }
    finish_with_output();
    return std::move(net_);
  }

 private:
  void start_with_input() {
    const auto order = element_order(graph_.input_shape);
    const auto count = static_cast<std::uint32_t>(order.elements.size());
    const auto size = shifted_size(graph_.input_range, std::vector<double>(1, 0.0));
    net_.vectors.push_back({graph_.input,
                            count,
                            order.row_begin,
                            size.bound,
                            size.rms,
                            channels(order, graph_.input_shape),
                            meaning_of(order, {{graph_.input, ones(count)}}, std::vector<double>(count, 0.0)),
                            graph_.input_shape,
                            {}});
    net_.input_order = order.elements;
    Materialised m{0, places(order), std::vector<double>(count, 0.0)};
    tensors_[graph_.input] = plain(m, graph_.input_shape);
    materialised_[graph_.input] = std::move(m);
  }

  // Readers of each tensor; layers that the output does not depend on have none and are left out.
  void count_uses() {
    ++uses_[graph_.output];
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node)
      if (uses_[node->output] > 0)
        for (const auto& name : node->inputs) ++uses_[name];
  }

  Expression lower_node(const model::Node& node) {
    if (sums_.count(node.inputs[0])) return lower_sum(node);
    const auto& in = tensors_.at(node.inputs[0]);
    if (const auto* q = std::get_if<model::Quadratic>(&node.op)) return lower_quadratic(node, *q);
    if (std::holds_alternative<model::Multiply>(node.op)) return lower_multiply(node);
    if (const auto* c = std::get_if<model::Combine>(&node.op))
      return compose(sum_of_branches(c->factors, node.shape), joined(node, {}), node.shape, {},
                     net_.supports);
    if (std::holds_alternative<model::Concat>(node.op)) return joined(node, node.shape);
    if (std::holds_alternative<model::Reshape>(node.op)) {
      Expression same = in;
      same.shape = node.shape;
      return same;
    }
    const auto linear = linear_node(node, graph_.shape_of(node.inputs[0]));
    auto e = compose(linear.map, in, node.shape, linear.bias, net_.supports);
    return pools_ == Pools::values && pool_before_products(graph_, node) ? pool_value(node, e) : e;
  }

  // A pool as a vector of its own.
  Expression pool_value(const model::Node& node, const Expression& e) {
    const auto order = element_order(node.shape);
    const std::vector<double> none(e.rows.size(), 0.0);
    const auto size = worst_case(net_, e);
    const auto m = materialise(e, order, none, size, node.output,
                               meaning_of(order, {{node.output, ones(e.rows.size())}}, none));
    // Squares at the edges of their ranges bound it, and it is nowhere near.
    constexpr double kUsual = 3;  // log2(bound / rms) of other vectors
    net_.vectors.back().extra_bits = std::max(0.0, std::log2(size.bound / size.rms) - kUsual);
    return plain(m, node.shape);
  }

  Expression joined(const model::Node& node, const model::Shape& shape) const {
    std::vector<const Expression*> parts;
    for (const auto& name : node.inputs) parts.push_back(&tensors_.at(name));
    return concatenate(parts, shape);
  }

  Expression lower_quadratic(const model::Node& node, const model::Quadratic& op) {
    const auto& tensor = node.inputs[0];
    const auto q = coefficients_of(op, node.shape);
    if (q.linear())
      return compose(elementwise(q.b, node.shape), tensors_.at(tensor), node.shape, q.c, net_.supports);
    const auto& range = required_range(graph_, tensor, node.name);
    if (pools_ == Pools::sums && pool_of_sums(graph_, node)) return start_sum(node, q, range);
    const auto known = materialised_.find(tensor);
    const bool ready = known != materialised_.end();
    const auto f = fold(q, magnitude(range), ready ? &known->second.shift : nullptr);
    if (!ready) {
      const auto size = shifted_size(range, f.shift);
      const auto order = element_order(node.shape);
      remember(tensor, materialise(tensors_.at(tensor), order, f.shift, size, tensor,
                                   meaning_of(order, {{tensor, ones(f.shift.size())}}, f.shift)));
    }
    return of_vector(materialised_.at(tensor), f.square, f.plain, f.constant, node.shape);
  }

  // The input of a quadratic that a pool sums up, scaled so that the squares weigh the same. The result is an
  // empty expression: only the pool reads it.
  Expression start_sum(const model::Node& node, const QuadraticCoefficients& q, const model::Range& range) {
    const auto& tensor = node.inputs[0];
    auto f = fold(q, magnitude(range), nullptr);
    auto even = even_squares(f);
    const auto& x = tensors_.at(tensor);
    auto scaled = compose(elementwise(even.factor, node.shape), x, node.shape, {}, net_.supports);
    Size size;
    double squares = 0;
    for (std::size_t i = 0; i < f.shift.size(); ++i) {
      const auto one = shifted_size(range, {f.shift[i]});
      size.bound = std::max(size.bound, one.bound * even.factor[i]);
      squares += std::pow(one.rms * even.factor[i], 2);
      f.shift[i] *= even.factor[i];
    }
    size.rms = std::sqrt(squares / static_cast<double>(f.shift.size()));
    const auto order = element_order(node.shape);
    auto vector = materialise(scaled, order, f.shift, size, tensor,
                              meaning_of(order, {{tensor, even.factor}}, f.shift));
    sums_.emplace(node.output, PendingSum{std::move(even), std::move(vector)});
    Expression nothing;
    nothing.shape = node.shape;
    return nothing;
  }

  // The pool of a pending sum: a stage that adds up the window, and an expression that divides by its size.
  Expression lower_sum(const model::Node& node) {
    const auto& pending = sums_.at(node.inputs[0]);
    const auto& in_shape = graph_.shape_of(node.inputs[0]);
    const auto average = linear_node(node, in_shape);
    const auto count = static_cast<std::size_t>(model::element_count(node.shape));
    std::vector<double> share(count, 0.0), constant(count, 0.0);
    std::uint64_t window = 1;
    const LinearMap add_up = [&](const auto& emit) {
      average.map([&](const LinearRows& rows) {
        auto ones = rows;
        std::fill(ones.weights.begin(), ones.weights.end(), 1.0);
        share[rows.outputs[0]] = rows.weights[0] * pending.squares.unit_value;
        for (const auto i : rows.inputs)
          constant[rows.outputs[0]] +=
              rows.weights[0] * pending.squares.unit_value * pending.squares.constant[i];
        window = std::max<std::uint64_t>(window, rows.inputs.size());
        emit(ones);
      });
    };
    const auto& s = pending.squares;
    const auto elements =
        of_vector(pending.vector, s.square, s.plain, std::vector<double>(s.square.size(), 0.0), in_shape);
    const auto total = compose(add_up, elements, node.shape, {}, net_.supports);
    auto size = worst_case(net_, total);
    const double typical = net_.vectors[pending.vector.vector].rms;
    size.rms = std::min(size.bound, static_cast<double>(window) * typical * typical);
    // The pool is share * total + constant.
    std::vector<double> factor(count), offset(count);
    for (std::size_t i = 0; i < count; ++i) {
      factor[i] = 1 / share[i];
      offset[i] = -constant[i] / share[i];
    }
    const auto order = element_order(node.shape);
    const auto vector = materialise(total, order, std::vector<double>(count, 0.0), size, node.output + ".sum",
                                    meaning_of(order, {{node.output, std::move(factor)}}, offset));
    net_.stages.back().name = node.name;
    net_.stages.back().sum_steps = s.steps;
    return of_vector(vector, std::vector<double>(count, 0.0), share, constant, node.shape);
  }

  // u v = ((k u + v)^2 - (k u - v)^2) / 4k, with k such that both terms are of the same size.
  Expression lower_multiply(const model::Node& node) {
    const auto& u = required_range(graph_, node.inputs[0], node.name);
    const auto& v = required_range(graph_, node.inputs[1], node.name);
    const double bound_u = shifted_size(u, {0.0}).bound, bound_v = shifted_size(v, {0.0}).bound;
    const double k = bound_v / bound_u;
    const auto part = [&](double sign, const char* suffix) {
      const auto e =
          compose(sum_of_branches({k, sign}, node.shape), joined(node, {}), node.shape, {}, net_.supports);
      const double rms_u = shifted_size(u, {0.0}).rms * k, rms_v = shifted_size(v, {0.0}).rms;
      const Size size{2 * bound_v, std::hypot(rms_u, rms_v)};
      const auto order = element_order(node.shape);
      const std::size_t count = e.rows.size();
      const std::vector<double> none(count, 0.0);
      return materialise(e, order, none, size, node.output + suffix,
                         meaning_of(order,
                                    {{node.inputs[0], std::vector<double>(count, k)},
                                     {node.inputs[1], std::vector<double>(count, sign)}},
                                    none));
    };
    const std::size_t n = static_cast<std::size_t>(model::element_count(node.shape));
    const std::vector<double> zero(n, 0.0), quarter(n, 0.25 / k);
    const auto sum = of_vector(part(1, ".sum"), quarter, zero, zero, node.shape);
    const auto difference = of_vector(part(-1, ".difference"), quarter, zero, zero, node.shape);
    const Expression* both[] = {&sum, &difference};
    return compose(sum_of_branches({1, -1}, node.shape), concatenate(both, {}), node.shape, {},
                   net_.supports);
  }

  void finish_with_output() {
    const auto& e = tensors_.at(graph_.output);
    const auto range = graph_.ranges.find(graph_.output);
    const auto size = range != graph_.ranges.end() ? shifted_size(range->second, {0.0}) : worst_case(net_, e);
    // The client knows no order but the model's own.
    ElementOrder order;
    order.elements.resize(e.rows.size());
    for (std::uint32_t i = 0; i < order.elements.size(); ++i) order.elements[i] = i;
    order.row_begin = {0, static_cast<std::uint32_t>(order.elements.size())};
    const std::vector<double> none(e.rows.size(), 0.0);
    materialise(e, order, none, size, graph_.output,
                meaning_of(order, {{graph_.output, ones(e.rows.size())}}, none));
  }

  // --- vectors ---

  static std::vector<std::uint32_t> places(const ElementOrder& order) {
    std::vector<std::uint32_t> place(order.elements.size());
    for (std::uint32_t k = 0; k < place.size(); ++k) place[order.elements[k]] = k;
    return place;
  }

  static std::vector<std::uint32_t> channels(const ElementOrder& order, const model::Shape& shape) {
    std::vector<std::uint32_t> all;
    for (const auto e : order.elements) all.push_back(channel_of(shape, e));
    return all;
  }

  static std::vector<double> ones(std::size_t count) { return std::vector<double>(count, 1.0); }

  // Factors and offsets come by row-major position.
  static Meaning meaning_of(const ElementOrder& order, std::vector<Meaning::Term> terms,
                            const std::vector<double>& offset) {
    Meaning by_position{std::move(terms), {}, offset, false};
    for (std::uint32_t i = 0; i < offset.size(); ++i) by_position.position.push_back(i);
    return select(by_position, order.elements);
  }

  // A new vector with the value of the expression plus shift.
  Materialised materialise(const Expression& e, const ElementOrder& order, const std::vector<double>& shift,
                           Size size, const std::string& tensor, Meaning meaning) {
    const auto vector = static_cast<std::uint32_t>(net_.vectors.size());
    const auto count = static_cast<std::uint32_t>(e.rows.size());
    net_.vectors.push_back({tensor,
                            count,
                            order.row_begin,
                            size.bound,
                            size.rms,
                            channels(order, e.shape),
                            std::move(meaning),
                            e.shape,
                            {}});
    Stage stage;
    stage.name = layer_of(tensor);
    stage.weights = e.weights;
    for (const auto element : order.elements) {
      stage.rows.push_back(e.rows[element]);
      stage.bias.push_back(e.bias[element] + shift[element]);
    }
    net_.stages.push_back(std::move(stage));
    return {vector, places(order), shift};
  }

  // The layer that a tensor comes from; what the lowering itself adds goes by its own name.
  std::string layer_of(const std::string& tensor) const {
    for (const auto& node : graph_.nodes)
      if (node.output == tensor) return node.name;
    return tensor;
  }

  // Later readers of the tensor use the vector: their rows stay short.
  void remember(const std::string& tensor, Materialised m) {
    if (uses_.at(tensor) > 1) tensors_[tensor] = plain(m, graph_.shape_of(tensor));
    materialised_[tensor] = std::move(m);
  }

  Expression plain(const Materialised& m, const model::Shape& shape) {
    const std::size_t n = m.place.size();
    std::vector<double> back(n);
    std::transform(m.shift.begin(), m.shift.end(), back.begin(), [](double s) { return -s; });
    return of_vector(m, std::vector<double>(n, 0.0), std::vector<double>(n, 1.0), back, shape);
  }

  // square * t^2 + plain * t + constant, element by element of a vector t.
  Expression of_vector(const Materialised& m, const std::vector<double>& square,
                       const std::vector<double>& plain_part, const std::vector<double>& constant,
                       const model::Shape& shape) {
    const auto count = static_cast<std::uint32_t>(m.place.size());
    const auto any = [](const std::vector<double>& v) {
      return std::any_of(v.begin(), v.end(), [](double x) { return x != 0; });
    };
    Column first_square = 0, first_plain = 0;
    if (any(square)) first_square = net_.columns.range(m.vector, SourceKind::square, count).first;
    if (any(plain_part)) first_plain = net_.columns.range(m.vector, SourceKind::plain, count).first;
    Expression e;
    e.shape = shape;
    e.bias = constant;
    for (std::size_t i = 0; i < m.place.size(); ++i) {
      std::vector<std::pair<Column, float>> terms;
      if (square[i] != 0) terms.emplace_back(first_square + m.place[i], static_cast<float>(square[i]));
      if (plain_part[i] != 0) terms.emplace_back(first_plain + m.place[i], static_cast<float>(plain_part[i]));
      std::sort(terms.begin(), terms.end());
      std::vector<Column> columns;
      e.rows.push_back({0, e.weights.size()});
      for (const auto& [c, w] : terms) {
        columns.push_back(c);
        e.weights.push_back(w);
      }
      e.rows.back().support = net_.supports.intern(std::move(columns));
    }
    return e;
  }

  const model::Graph& graph_;
  const Pools pools_;
  std::map<std::string, PendingSum> sums_;  // by the tensor that the pool reads
  Network net_;
  std::map<std::string, Expression> tensors_;
  std::map<std::string, Materialised> materialised_;
  std::map<std::string, int> uses_;
};

}  // namespace

Network lower(const model::Graph& graph, Pools pools) {
  model::require_polynomial(graph);
  auto net = Lowering(graph, pools).run();
  remove_unused(net);
  net.gains = error_gains(net);
  return net;
}

}  // namespace velum::plan
