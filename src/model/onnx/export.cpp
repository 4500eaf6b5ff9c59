// A graph as ONNX, opset 13, in standard operators only: other programs must read what Velum trains. Tensor
// names are kept, so that ranges recorded for them survive.
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>
#include <set>

#include "base/error.h"
#include "model/onnx.h"
#include "model/onnx/import.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

constexpr int ir_version = 7, opset_version = 13;

class Exporter {
 public:
  explicit Exporter(const Graph& g) : g_(g) {
    taken_.insert(g.input);
    for (const auto& n : g.nodes) taken_.insert(n.output);
  }

  onnx::ModelProto run() {
    if (g_.output == g_.input || g_.nodes.empty()) fail_user("network '{}' has no layer to write", g_.name);
    model_.set_ir_version(ir_version);
    model_.set_producer_name("velum");
    auto* opset = model_.add_opset_import();
    opset->set_domain("");
    opset->set_version(opset_version);
    graph_ = model_.mutable_graph();
    graph_->set_name(g_.name.empty() ? "network" : g_.name);
    value(graph_->add_input(), g_.input, g_.input_shape);
    for (const auto& n : g_.nodes) write(n);
    value(graph_->add_output(), g_.output, g_.shape_of(g_.output));
    write_metadata(g_, model_);
    return std::move(model_);
  }

 private:
  static void value(onnx::ValueInfoProto* v, const std::string& name, const Shape& shape) {
    v->set_name(name);
    auto* t = v->mutable_type()->mutable_tensor_type();
    t->set_elem_type(onnx::TensorProto::FLOAT);
    t->mutable_shape()->add_dim()->set_dim_param("N");
    for (const auto d : shape) t->mutable_shape()->add_dim()->set_dim_value(d);
  }

  std::string unused(const std::string& wish) {
    std::string name = wish;
    for (int i = 2; !taken_.insert(name).second; ++i) name = fmt::format("{}.{}", wish, i);
    return name;
  }

  std::string floats(const std::string& wish, const Shape& dims, const std::vector<float>& values) {
    auto* t = graph_->add_initializer();
    t->set_name(unused(wish));
    t->set_data_type(onnx::TensorProto::FLOAT);
    for (const auto d : dims) t->add_dims(d);
    t->set_raw_data(values.data(), values.size() * sizeof(float));
    return t->name();
  }
  std::string integers(const std::string& wish, const std::vector<std::int64_t>& values) {
    auto* t = graph_->add_initializer();
    t->set_name(unused(wish));
    t->set_data_type(onnx::TensorProto::INT64);
    t->add_dims(static_cast<std::int64_t>(values.size()));
    t->set_raw_data(values.data(), values.size() * sizeof(std::int64_t));
    return t->name();
  }
  // Coefficients broadcast from the right, so they need no batch axis.
  std::string coefficients(const Node& n, const char* name, const Coefficients& c) {
    return floats(fmt::format("{}.{}", n.name, name), c.dims, c.values);
  }

  onnx::NodeProto* add(const std::string& name, const char* op, std::vector<std::string> inputs,
                       const std::string& output) {
    auto* p = graph_->add_node();
    p->set_name(name);
    p->set_op_type(op);
    for (auto& i : inputs) p->add_input(std::move(i));
    p->add_output(output);
    return p;
  }
  static void attribute(onnx::NodeProto* p, const char* name, std::int64_t v) {
    auto* a = p->add_attribute();
    a->set_name(name);
    a->set_type(onnx::AttributeProto::INT);
    a->set_i(v);
  }
  static void attribute(onnx::NodeProto* p, const char* name, std::initializer_list<std::int64_t> v) {
    auto* a = p->add_attribute();
    a->set_name(name);
    a->set_type(onnx::AttributeProto::INTS);
    for (const auto x : v) a->add_ints(x);
  }

  void write(const Node& n) {
    std::visit([&](const auto& op) { layer(n, op); }, n.op);
  }

  void layer(const Node& n, const Convolution& c) {
    const auto channels = g_.shape_of(n.inputs[0])[0] / c.groups;
    std::vector<std::string> in{
        n.inputs[0], floats(n.name + ".weight", {c.outputs, channels, c.kernel_h, c.kernel_w}, c.weights)};
    if (!c.bias.empty()) in.push_back(floats(n.name + ".bias", {c.outputs}, c.bias));
    auto* p = add(n.name, "Conv", std::move(in), n.output);
    attribute(p, "kernel_shape", {c.kernel_h, c.kernel_w});
    attribute(p, "strides", {c.stride_h, c.stride_w});
    attribute(p, "dilations", {c.dilation_h, c.dilation_w});
    attribute(p, "pads", {c.pad_top, c.pad_left, c.pad_bottom, c.pad_right});
    attribute(p, "group", c.groups);
  }
  void layer(const Node& n, const Dense& d) {
    const auto features = g_.shape_of(n.inputs[0])[0];
    std::vector<std::string> in{n.inputs[0], floats(n.name + ".weight", {d.outputs, features}, d.weights)};
    if (!d.bias.empty()) in.push_back(floats(n.name + ".bias", {d.outputs}, d.bias));
    attribute(add(n.name, "Gemm", std::move(in), n.output), "transB", 1);
  }
  void layer(const Node& n, const ScaleShift& s) {
    const auto scaled = unused(n.output + ".scaled");
    add(n.name + ".scale", "Mul", {n.inputs[0], coefficients(n, "scale", s.scale)}, scaled);
    add(n.name, "Add", {scaled, coefficients(n, "shift", s.shift)}, n.output);
  }
  // a x^2 + b x + c
  void layer(const Node& n, const Quadratic& q) {
    const auto &x = n.inputs[0], square = unused(n.output + ".square"), first = unused(n.output + ".a"),
               second = unused(n.output + ".b"), sum = unused(n.output + ".sum");
    add(n.name + ".square", "Mul", {x, x}, square);
    add(n.name + ".a", "Mul", {square, coefficients(n, "a", q.a)}, first);
    add(n.name + ".b", "Mul", {x, coefficients(n, "b", q.b)}, second);
    add(n.name + ".sum", "Add", {first, second}, sum);
    add(n.name, "Add", {sum, coefficients(n, "c", q.c)}, n.output);
  }
  void pool(const Node& n, const AveragePool& w, const char* op, bool average) {
    auto* p = add(n.name, op, {n.inputs[0]}, n.output);
    attribute(p, "kernel_shape", {w.kernel_h, w.kernel_w});
    attribute(p, "strides", {w.stride_h, w.stride_w});
    attribute(p, "pads", {w.pad_top, w.pad_left, w.pad_bottom, w.pad_right});
    if (average) attribute(p, "count_include_pad", w.count_include_pad ? 1 : 0);
  }
  void layer(const Node& n, const AveragePool& w) { pool(n, w, "AveragePool", true); }
  void layer(const Node& n, const MaxPool& m) { pool(n, m.window, "MaxPool", false); }
  void layer(const Node& n, const GlobalAveragePool&) {
    add(n.name, "GlobalAveragePool", n.inputs, n.output);
  }
  void layer(const Node& n, const Pad& p) {
    const auto pads = integers(n.name + ".pads", {0, 0, p.top, p.left, 0, 0, p.bottom, p.right});
    add(n.name, "Pad", {n.inputs[0], pads}, n.output);
  }
  void layer(const Node& n, const Reshape&) {
    std::vector<std::int64_t> target{0};  // 0 keeps the batch axis
    target.insert(target.end(), n.shape.begin(), n.shape.end());
    add(n.name, "Reshape", {n.inputs[0], integers(n.name + ".shape", target)}, n.output);
  }
  void layer(const Node& n, const Transpose& t) {
    auto* a = add(n.name, "Transpose", n.inputs, n.output)->add_attribute();
    a->set_name("perm");
    a->set_type(onnx::AttributeProto::INTS);
    a->add_ints(0);
    for (const int axis : t.axes) a->add_ints(axis + 1);
  }
  void layer(const Node& n, const Concat&) {
    attribute(add(n.name, "Concat", n.inputs, n.output), "axis", 1);
  }
  void layer(const Node& n, const Combine& c) {
    if (n.inputs.size() == 2 && c.factors[0] == 1 && c.factors[1] == -1) {
      add(n.name, "Sub", n.inputs, n.output);
      return;
    }
    std::vector<std::string> terms;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      terms.push_back(n.inputs[i]);
      if (c.factors[i] == 1) continue;
      terms.back() = unused(fmt::format("{}.term{}", n.output, i));
      const auto factor =
          floats(fmt::format("{}.factor{}", n.name, i), {}, {static_cast<float>(c.factors[i])});
      add(fmt::format("{}.term{}", n.name, i), "Mul", {n.inputs[i], factor}, terms.back());
    }
    const char* op = terms.size() == 2 ? "Add" : "Sum";
    add(n.name, op, std::move(terms), n.output);
  }
  void layer(const Node& n, const Multiply&) { add(n.name, "Mul", n.inputs, n.output); }
  void layer(const Node& n, const Relu&) { add(n.name, "Relu", n.inputs, n.output); }
  // Rows of equal length k: the elements that they read, weighted and added up. What is missing weighs 0.
  void layer(const Node& n, const Linear& l) {
    const auto outputs = element_count(l.shape), inputs = element_count(g_.shape_of(n.inputs[0]));
    std::size_t k = 1;
    for (std::size_t e = 0; e + 1 < l.row_begin.size(); ++e)
      k = std::max<std::size_t>(k, l.row_begin[e + 1] - l.row_begin[e]);
    std::vector<std::int64_t> columns;
    std::vector<float> weights;
    for (std::size_t e = 0; e + 1 < l.row_begin.size(); ++e)
      for (std::size_t i = 0; i < k; ++i) {
        const bool there = l.row_begin[e] + i < l.row_begin[e + 1];
        columns.push_back(there ? l.columns[l.row_begin[e] + i] : 0);
        weights.push_back(!there ? 0.0F : l.weights.empty() ? 1.0F : l.weights[l.row_begin[e] + i]);
      }
    const bool moves = k == 1 && std::all_of(weights.begin(), weights.end(), [](float w) { return w == 1; });
    std::string at = reshaped(n, n.inputs[0], {inputs}, ".row");
    const auto picked = unused(n.output + ".picked");
    attribute(add(picked, "Gather", {at, integers(n.name + ".columns", columns)}, picked), "axis", 1);
    at = picked;
    if (!moves) {
      const auto weighted = unused(n.output + ".weighted"), sum = unused(n.output + ".sum");
      at = reshaped(n, at, {outputs, static_cast<std::int64_t>(k)}, ".terms");
      add(weighted, "Mul",
          {at, floats(n.name + ".weights", {outputs, static_cast<std::int64_t>(k)}, weights)}, weighted);
      attribute(add(sum, "ReduceSum", {weighted, integers(n.name + ".axes", {2})}, sum), "keepdims", 0);
      at = sum;
    }
    if (!l.bias.empty()) {
      const auto biased = unused(n.output + ".biased");
      add(biased, "Add", {at, floats(n.name + ".bias", {outputs}, l.bias)}, biased);
      at = biased;
    }
    std::vector<std::int64_t> target{0};
    target.insert(target.end(), l.shape.begin(), l.shape.end());
    add(n.name, "Reshape", {at, integers(n.name + ".shape", target)}, n.output);
  }
  std::string reshaped(const Node& n, const std::string& from, std::vector<std::int64_t> dims,
                       const char* suffix) {
    auto to = unused(n.output + suffix);
    dims.insert(dims.begin(), 0);
    add(to, "Reshape", {from, integers(n.name + suffix, dims)}, to);
    return to;
  }
  void layer(const Node& n, const Unsupported& u) { refuse(n, u.op); }
  void layer(const Node& n, const Function& f) { refuse(n, f.op); }
  void layer(const Node& n, const AxisFunction& f) { refuse(n, f.op); }
  [[noreturn]] static void refuse(const Node& n, const std::string& op) {
    fail_user(
        "node '{}' ({}) cannot be written: of what is no polynomial, Velum writes Relu and MaxPool only",
        n.name, op);
  }

  const Graph& g_;
  onnx::ModelProto model_;
  onnx::GraphProto* graph_ = nullptr;
  std::set<std::string> taken_;
};

}  // namespace

std::vector<std::uint8_t> to_onnx(const Graph& g) {
  Graph checked = g;  // shapes are needed, and nothing may be written that could not be read
  infer_shapes(checked);
  const onnx::ModelProto model = Exporter(checked).run();
  std::vector<std::uint8_t> out(model.ByteSizeLong());
  if (out.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    fail_user("network '{}' needs {} bytes, an ONNX file has at most {}", g.name, out.size(),
              std::numeric_limits<int>::max());
  if (!model.SerializeToArray(out.data(), static_cast<int>(out.size())))
    fail("network '{}' could not be written as ONNX ({} bytes)", g.name, out.size());
  return out;
}

}  // namespace velum::model
