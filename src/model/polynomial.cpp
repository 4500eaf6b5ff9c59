#include "model/polynomial.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

// An expression is followed upwards through at most this many layers; longer chains shrink round by round.
constexpr std::size_t max_chain = 64;

template <typename F>
Field combine(const Field& x, const Field& y, F f) {
  if (x.dims == y.dims || x.dims.empty() || y.dims.empty()) {
    const bool one = x.dims.empty(), other = y.dims.empty();
    Field out{one ? y.dims : x.dims, std::vector<double>(one ? y.values.size() : x.values.size())};
    for (std::size_t i = 0; i < out.values.size(); ++i)
      out.values[i] = f(x.values[one ? 0 : i], y.values[other ? 0 : i]);
    return out;
  }
  // Both broadcast to the same tensor, so they have the same number of axes.
  Field out;
  for (std::size_t i = 0; i < x.dims.size(); ++i) out.dims.push_back(std::max(x.dims[i], y.dims[i]));
  out.values.resize(static_cast<std::size_t>(element_count(out.dims)));
  std::vector<std::int64_t> index(out.dims.size(), 0);
  for (auto& v : out.values) {
    std::size_t at = 0, also = 0;
    for (std::size_t i = 0; i < index.size(); ++i) {
      at = at * static_cast<std::size_t>(x.dims[i]) + static_cast<std::size_t>(x.dims[i] == 1 ? 0 : index[i]);
      also = also * static_cast<std::size_t>(y.dims[i]) +
             static_cast<std::size_t>(y.dims[i] == 1 ? 0 : index[i]);
    }
    v = f(x.values[at], y.values[also]);
    for (std::size_t i = index.size(); i-- > 0;) {
      if (++index[i] < out.dims[i]) break;
      index[i] = 0;
    }
  }
  return out;
}

}  // namespace

bool Field::is(double v) const {
  return std::all_of(values.begin(), values.end(), [v](double x) { return x == v; });
}

Field to_field(const Coefficients& c) {
  return {c.dims, std::vector<double>(c.values.begin(), c.values.end())};
}

Coefficients to_coefficients(const Field& f) {
  Coefficients c;
  const bool uniform = f.is(f.values.empty() ? 0.0 : f.values[0]);
  if (!uniform) c.dims = f.dims;
  const std::size_t n = uniform ? std::min<std::size_t>(1, f.values.size()) : f.values.size();
  for (std::size_t i = 0; i < n; ++i) c.values.push_back(static_cast<float>(f.values[i]));
  return c;
}

Field operator+(const Field& x, const Field& y) {
  return combine(x, y, [](double a, double b) { return a + b; });
}

Field operator*(const Field& x, const Field& y) {
  return combine(x, y, [](double a, double b) { return a * b; });
}

Polynomial operator+(const Polynomial& p, const Polynomial& q) {
  return {p.c0 + q.c0, p.c1 + q.c1, p.c2 + q.c2};
}

std::optional<Polynomial> multiply(const Polynomial& p, const Polynomial& q) {
  if (!(p.c2 * q.c2).is(0) || !(p.c1 * q.c2 + p.c2 * q.c1).is(0)) return std::nullopt;
  return Polynomial{p.c0 * q.c0, p.c0 * q.c1 + p.c1 * q.c0, p.c0 * q.c2 + p.c1 * q.c1 + p.c2 * q.c0};
}

std::optional<Polynomial> compose(const Polynomial& outer, const Polynomial& inner) {
  Polynomial out{outer.c0 + outer.c1 * inner.c0, outer.c1 * inner.c1, outer.c1 * inner.c2};
  if (outer.degree() < 2) return out;
  const auto square = multiply(inner, inner);
  if (!square) return std::nullopt;
  return out + Polynomial{outer.c2 * square->c0, outer.c2 * square->c1, outer.c2 * square->c2};
}

std::optional<Polynomial> polynomial_of(const Operation& op) {
  if (const auto* s = std::get_if<ScaleShift>(&op))
    return Polynomial{to_field(s->shift), to_field(s->scale), Field::scalar(0)};
  if (const auto* q = std::get_if<Quadratic>(&op))
    return Polynomial{to_field(q->c), to_field(q->b), to_field(q->a)};
  return std::nullopt;
}

Operation to_operation(const Polynomial& p) {
  if (p.degree() < 2) return ScaleShift{to_coefficients(p.c1), to_coefficients(p.c0)};
  return Quadratic{to_coefficients(p.c2), to_coefficients(p.c1), to_coefficients(p.c0)};
}

namespace {

// tensor = polynomial(parent)
struct Link {
  std::string parent;
  Polynomial polynomial;
};

// A tensor as a polynomial of one of its ancestors.
struct View {
  std::string root;
  Polynomial polynomial;
  bool mergeable;  // no square on the way is used anywhere else
};

class Recogniser {
 public:
  explicit Recogniser(Graph& g) : g_(g), output_(g.output) {
    taken_.insert(g.input);
    for (const auto& n : g.nodes) {
      for (const auto& t : std::set<std::string>(n.inputs.begin(), n.inputs.end())) ++uses_[t];
      taken_.insert(n.name);
      taken_.insert(n.output);
    }
    ++uses_[g.output];
  }

  bool run() {
    for (auto& old : g_.nodes) {
      Node node = std::move(old);
      if (std::holds_alternative<Multiply>(node.op))
        merge_product(node);
      else if (std::holds_alternative<Combine>(node.op))
        merge_sum(node);
      merge_chain(node);
      // A quadratic whose squares vanish is affine (and an affine layer after another costs nothing).
      if (auto p = polynomial_of(node.op)) {
        if (std::holds_alternative<Quadratic>(node.op) && p->degree() < 2) {
          node.op = to_operation(*p);
          changed_ = true;
        }
        links_.emplace(node.output, Link{node.inputs[0], std::move(*p)});
      }
      const auto* c = std::get_if<Combine>(&node.op);
      if (c && uses_[node.output] == 1 && node.output != output_ && !g_.ranges.contains(node.output))
        sums_.emplace(node.output, Sum{node.inputs, c->factors});
      nodes_.push_back(std::move(node));
    }
    g_.nodes = std::move(nodes_);
    return changed_;
  }

 private:
  struct Sum {
    std::vector<std::string> inputs;
    std::vector<double> factors;
  };

  // The view, and then further up: as a polynomial of its root's parent, and so on while the degree stays at
  // most 2. A tensor with a recorded range is where a merge stops: the planner needs that range, and may have
  // none further up.
  std::vector<View> views(View from) const {
    std::vector<View> out{std::move(from)};
    while (out.size() < max_chain) {
      const auto link = links_.find(out.back().root);
      if (link == links_.end() || g_.ranges.contains(out.back().root)) break;
      auto p = compose(out.back().polynomial, link->second.polynomial);
      if (!p) break;
      // Passing through a square's value: it disappears into the merged layer only if nobody else reads it.
      const bool reused = link->second.polynomial.degree() == 2 && uses_.at(out.back().root) > 1;
      out.push_back({link->second.parent, std::move(*p), out.back().mergeable && !reused});
    }
    return out;
  }
  static bool is_factor(const Polynomial& p) { return p.degree() < 2 && p.c1.dims.empty() && p.c0.is(0); }
  static View view_of(const std::string& tensor) { return {tensor, Polynomial::identity(), true}; }

  // Both as polynomials of their nearest common ancestor, where such a merge is possible.
  std::optional<std::pair<View, View>> meet(const View& x, const View& y) const {
    const auto xs = views(x), ys = views(y);
    for (const auto& u : xs)
      for (const auto& v : ys)
        if (u.root == v.root) {
          if (!u.mergeable || !v.mergeable) return std::nullopt;
          return std::pair{u, v};
        }
    return std::nullopt;
  }

  void replace(Node& node, const View& v) {
    node.op = to_operation(v.polynomial);
    node.inputs = {v.root};
    ++uses_[v.root];
    changed_ = true;
  }

  void merge_product(Node& node) {
    const auto common = meet(view_of(node.inputs[0]), view_of(node.inputs[1]));
    if (!common) return;
    if (auto p = multiply(common->first.polynomial, common->second.polynomial))
      replace(node, {common->first.root, std::move(*p), true});
  }

  void merge_sum(Node& node) {
    auto& combine = std::get<Combine>(node.op);
    std::vector<View> terms;
    bool any = false;
    const auto add = [&](const std::string& tensor, double factor) {
      // A layer that only multiplies by a number gives that number to the sum.
      const auto link = links_.find(tensor);
      const bool scaled = link != links_.end() && uses_.at(tensor) == 1 && !g_.ranges.contains(tensor) &&
                          is_factor(link->second.polynomial);
      if (scaled) factor *= link->second.polynomial.c1.values[0];
      terms.push_back({scaled ? link->second.parent : tensor,
                       Polynomial{Field::scalar(0), Field::scalar(factor), Field::scalar(0)}, true});
      any |= scaled;
    };
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      // A sum in a sum is one sum, so that a + (q x^2 + b) + c x finds its parts in any order.
      if (const auto inner = sums_.find(node.inputs[i]); inner != sums_.end())
        for (std::size_t j = 0; j < inner->second.inputs.size(); ++j)
          add(inner->second.inputs[j], combine.factors[i] * inner->second.factors[j]);
      else
        add(node.inputs[i], combine.factors[i]);
    }
    any |= terms.size() != node.inputs.size();
    for (std::size_t i = 0; i < terms.size(); ++i)
      for (std::size_t j = i + 1; j < terms.size();) {
        const auto common = meet(terms[i], terms[j]);
        if (!common) {
          ++j;
          continue;
        }
        terms[i] = {common->first.root, common->first.polynomial + common->second.polynomial, true};
        terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(j));
        any = true;
        j = i + 1;
      }
    if (terms.size() == 1) return replace(node, terms[0]);
    if (!any) return;
    changed_ = true;
    node.inputs.clear();
    combine.factors.clear();
    for (const auto& term : terms) {
      if (is_factor(term.polynomial)) {
        node.inputs.push_back(term.root);
        combine.factors.push_back(term.polynomial.c1.values[0]);
        ++uses_[term.root];
        continue;
      }
      Node part;
      part.name = part.output = unused(node.name + ".term");
      part.shape = node.shape;
      replace(part, term);
      links_.emplace(part.output, Link{part.inputs[0], *polynomial_of(part.op)});
      uses_[part.output] = 1;
      node.inputs.push_back(part.output);
      combine.factors.push_back(1);
      nodes_.push_back(std::move(part));
    }
  }

  // Layer of a layer: the outer one takes over the inner one where nobody else reads the inner value. The
  // input of a square keeps its name, since ranges are recorded for it: so only an affine outer layer takes
  // over.
  void merge_chain(Node& node) {
    const auto outer = polynomial_of(node.op);
    if (!outer || outer->degree() == 2) return;
    const auto link = links_.find(node.inputs[0]);
    if (link == links_.end() || uses_.at(node.inputs[0]) > 1 || g_.ranges.contains(node.inputs[0])) return;
    if (auto p = compose(*outer, link->second.polynomial))
      replace(node, {link->second.parent, std::move(*p), true});
  }

  std::string unused(const std::string& wish) {
    std::string name = wish;
    for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}{}", wish, i);
    return name;
  }

  Graph& g_;
  const std::string output_;
  std::vector<Node> nodes_;
  bool changed_ = false;
  std::set<std::string> taken_;
  std::unordered_map<std::string, std::size_t> uses_;
  std::unordered_map<std::string, Link> links_;
  std::unordered_map<std::string, Sum> sums_;
};

}  // namespace

bool recognise_polynomials(Graph& g) {
  return Recogniser(g).run();
}

}  // namespace velum::model
