#include "model/onnx/import.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/operator_table.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

constexpr std::size_t max_nodes = 10000;

// --- The input ---

const onnx::ValueInfoProto& find_input(const onnx::GraphProto& proto, const Importer& importer) {
  std::vector<const onnx::ValueInfoProto*> inputs;
  for (const auto& v : proto.input())
    if (!importer.constants.contains(v.name()))
      inputs.push_back(&v);  // old files list their weights as inputs
  if (inputs.size() > 1)
    std::erase_if(inputs, [&](const auto* v) { return !importer.read_names.contains(v->name()); });
  if (inputs.size() != 1) {
    std::vector<std::string> names;
    names.reserve(inputs.size());
    for (const auto* v : inputs) names.push_back(v->name());
    fail_user("has {} inputs ({}), expected one: the images", inputs.size(), fmt::join(names, ", "));
  }
  return *inputs[0];
}

// -1: open.
Dims declared_dims(const onnx::ValueInfoProto& v) {
  if (v.name().empty()) fail_user("has an input without a name");
  const int type = v.type().has_tensor_type() ? v.type().tensor_type().elem_type() : 0;
  if (!is_real(type) && !is_integral(type))
    fail_user("input '{}' is not a tensor of numbers (type {}): export the network with 32-bit floats",
              v.name(), type_name(type));
  if (!v.type().tensor_type().has_shape())
    fail_user("input '{}' has no shape: only the batch axis may be left open", v.name());
  Dims dims;
  for (const auto& d : v.type().tensor_type().shape().dim())
    dims.push_back(d.has_dim_value() && d.dim_value() > 0 ? d.dim_value() : -1);
  return dims;
}

bool fits(const Dims& dims, const Shape& shape) {
  return dims.size() == shape.size() && std::equal(dims.begin(), dims.end(), shape.begin(),
                                                   [](auto d, auto s) { return d == -1 || d == s; });
}

// A file of one image alone, which its first layer gives a batch axis, or one that has a single axis.
bool lacks_batch(const onnx::GraphProto& proto, const std::string& input, const Dims& dims,
                 const Shape& wanted) {
  if (!wanted.empty()) return fits(dims, wanted);
  if (dims.size() == 1) return dims[0] > 0;
  if (dims.size() != 3 || (dims[0] != 1 && dims[0] != 3)) return false;
  return std::any_of(proto.node().begin(), proto.node().end(), [&](const onnx::NodeProto& n) {
    return n.op_type() == "Unsqueeze" && n.input_size() > 0 && n.input(0) == input;
  });
}

// Whether the first layers, elementwise ones aside, take the input for one with its channels first.
bool is_convolved(const std::vector<FlatNode>& nodes, const std::string& input) {
  constexpr std::array elementwise{"Add", "Sub", "Mul", "Div", "Cast", "Identity", "Neg", "Pow"};
  constexpr std::array channels_first{
      "Conv",     "ConvTranspose",     "MaxPool",       "AveragePool",
      "Resize",   "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization",
      "Upsample", "DepthToSpace",      "SpaceToDepth",  "InstanceNormalization"};
  std::set<std::string> same{input};
  for (const auto& n : nodes) {
    const auto& in = n.proto.input();
    if (std::none_of(in.begin(), in.end(), [&](const std::string& name) { return same.contains(name); }))
      continue;
    const auto& op = n.proto.op_type();
    if (std::find(channels_first.begin(), channels_first.end(), op) != channels_first.end()) return true;
    if (std::find(elementwise.begin(), elementwise.end(), op) != elementwise.end() &&
        n.proto.output_size() > 0)
      same.insert(n.proto.output(0));
  }
  return false;
}

// Images of the file in Velum's order, channels first: a transpose behind them where the file wants them
// last.
void put_channels_first(Importer& importer, const std::vector<FlatNode>& nodes, Value& v) {
  const Shape file = v.dims;
  constexpr std::int64_t least = 5;  // pixels of an image's side, more than it has channels
  if (file.size() != 3 || (file[2] != 1 && file[2] != 3 && file[2] != 4) || file[0] < least ||
      file[1] < least)
    return;
  Graph& g = importer.graph;
  if (is_convolved(nodes, g.input)) return;
  g.channels_last = true;
  g.input_shape = {file[2], file[0], file[1]};
  importer.shapes[g.input] = g.input_shape;
  Node n{"channels_last", Transpose{{1, 2, 0}}, {g.input}, g.input + ".channels_last", file};
  if (file[2] == 1) n.op = Reshape{};
  while (!importer.tensor_names.insert(n.output).second) n.output += "_";
  importer.node_names.insert(n.name);
  importer.shapes[n.output] = file;
  v.tensor = n.output;
  g.nodes.push_back(std::move(n));
}

void read_input(const onnx::GraphProto& proto, const std::vector<FlatNode>& nodes, Importer& importer,
                const Shape& wanted) {
  const auto& v = find_input(proto, importer);
  Dims dims = declared_dims(v);
  if (dims.empty())
    fail_user("input '{}' has no axes, expected a batch axis and at least one more", v.name());
  const bool alone = lacks_batch(proto, v.name(), dims, wanted);
  if (dims.size() < 2 && !alone)
    fail_user("input '{}' has {} axes, expected a batch axis and at least one more", v.name(), dims.size());
  const Dims image(dims.begin() + (alone ? 0 : 1), dims.end());
  if (!wanted.empty() && !fits(image, wanted) &&
      !(image.size() == 3 && wanted.size() == 3 && fits(image, {wanted[1], wanted[2], wanted[0]})))
    fail_user("input '{}' takes images of {}, --shape says {}", v.name(), fmt::join(image, "x"),
              to_string(wanted));
  Value value{v.name(), wanted.empty() || !fits(image, wanted) ? image : wanted, alone ? no_batch : 0};
  if (!wanted.empty() && !fits(image, wanted)) value.dims = {wanted[1], wanted[2], wanted[0]};
  for (std::size_t i = 0; i < value.dims.size(); ++i)
    if (value.dims[i] < 1) {
      const auto& d = v.type().tensor_type().shape().dim(static_cast<int>(i) + (alone ? 0 : 1));
      fail_user(
          "input '{}' has an open axis {} ('{}'): state the size of the images with --shape "
          "CHANNELS,HEIGHT,WIDTH, or "
          "export with a fixed size",
          v.name(), i + 1, d.has_dim_value() ? std::to_string(d.dim_value()) : d.dim_param());
    }
  importer.declared_batch = alone ? 1 : std::max<std::int64_t>(dims[0], 0);
  check_shape(value.dims);
  Graph& g = importer.graph;
  g.input = v.name();
  g.input_shape = value.dims;
  const int type = v.type().tensor_type().elem_type();
  importer.whole_input = is_integral(type);
  if (!importer.tensor_names.insert(v.name()).second) fail_user("defines tensor '{}' twice", v.name());
  importer.shapes[v.name()] = value.dims;
  put_channels_first(importer, nodes, value);
  if (importer.whole_input) g.pixels = {Pixels::Origin::integers, 0, 255, {}, {}};
  importer.tensors[v.name()] = value;
}

// --- Initialisers and names ---

void note_reads(const onnx::NodeProto& node, std::set<std::string>& names);

void note_reads(const onnx::GraphProto& graph, std::set<std::string>& names) {
  for (const auto& n : graph.node()) note_reads(n, names);
  for (const auto& v : graph.output()) names.insert(v.name());
}

void note_reads(const onnx::NodeProto& node, std::set<std::string>& names) {
  names.insert(node.input().begin(), node.input().end());
  for (const auto& a : node.attribute())
    if (a.has_g()) note_reads(a.g(), names);
}

// Those that nothing reads are left alone, whatever they hold.
void read_initialisers(const onnx::GraphProto& proto, Importer& importer) {
  for (const auto& t : proto.sparse_initializer())
    if (importer.read_names.contains(t.values().name()))
      fail_user("stores weights as sparse tensors, which Velum does not read: export it with dense weights");
  std::set<std::string> names;
  for (const auto& t : proto.initializer()) {
    if (t.name().empty() || !names.insert(t.name()).second)
      fail_user("initialiser '{}' has no name of its own", t.name());
    if (!importer.read_names.contains(t.name())) continue;
    importer.constants[t.name()] = read_tensor(t, fmt::format("initialiser '{}'", t.name()), importer.folder);
  }
}

// Every tensor is produced once; names of all of them are taken before any node adds intermediate ones.
void take_names(const std::vector<FlatNode>& nodes, Importer& importer) {
  for (const auto& [name, value] : importer.constants) importer.tensor_names.insert(name);
  for (const auto& n : nodes)
    for (const auto& out : n.proto.output())
      if (!out.empty() && !importer.tensor_names.insert(out).second)
        fail_user("defines tensor '{}' twice", out);
}

// Nodes that the output depends on.
std::vector<FlatNode> needed_for(const std::string& output, std::vector<FlatNode> nodes) {
  std::set<std::string> needed{output};
  std::vector<FlatNode> kept;
  for (auto n = nodes.rbegin(); n != nodes.rend(); ++n) {
    const auto& outputs = n->proto.output();
    const bool is_needed =
        outputs.empty() || std::any_of(outputs.begin(), outputs.end(),
                                       [&](const std::string& o) { return o.empty() || needed.contains(o); });
    if (!is_needed) continue;
    note_reads(n->proto, needed);
    kept.push_back(std::move(*n));
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

// --- Nodes ---

void check_defined(const onnx::NodeProto& node, const Importer& importer) {
  for (const auto& in : node.input())
    if (!in.empty() && !importer.tensors.contains(in) && !importer.constants.contains(in))
      fail_user("reads '{}', which is neither an initialiser of the file nor produced by an earlier node",
                in);
  if (node.output_size() < 1 || (node.output(0).empty() && node.output_size() == 1))
    fail_user("has no output");
}

std::string describe(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})",
                     node.name().empty() && node.output_size() ? node.output(0) : node.name(),
                     node.op_type());
}

// PyTorch's exporter of torch.export calls its nodes node_KIND or keeps them in functions of its own library;
// the one before called them /MODULE/KIND, KIND_0, or nothing.
WrittenBy exporter_of(const onnx::ModelProto& model) {
  if (model.producer_name() != "pytorch") return WrittenBy::other;
  const auto& sets = model.opset_import();
  const auto& nodes = model.graph().node();
  const bool recent =
      std::any_of(sets.begin(), sets.end(),
                  [](const auto& set) { return set.domain().starts_with("pkg."); }) ||
      std::any_of(nodes.begin(), nodes.end(), [](const auto& n) { return n.name().starts_with("node_"); });
  return recent ? WrittenBy::pytorch_dynamo : WrittenBy::other;
}

void check_domain(const onnx::NodeProto& node, WrittenBy by) {
  const std::string& domain = node.domain();
  if (domain.empty() || domain == "ai.onnx") return;
  fail_user("comes from operator set '{}', Velum reads standard ONNX operators only{}", domain,
            domain == "com.microsoft" ? ": save the network without ONNX Runtime's optimisations"
                                      : other_exporter(by));
}

void convert(Importer& importer, const FlatNode& node);

// The branch that a constant chooses, as if it stood here.
void choose_branch(Importer& importer, const FlatNode& node) {
  Call call(importer, node.proto, node.opset);
  call.expect_inputs(1, 1);
  const bool which = call.number(0, "condition") != 0;
  for (const auto& a : node.proto.attribute()) {
    if (a.name() != (which ? "then_branch" : "else_branch")) continue;
    const auto& branch = a.g();
    for (const auto& t : branch.initializer()) {
      if (!importer.tensor_names.insert(t.name()).second) fail_user("defines tensor '{}' twice", t.name());
      importer.constants[t.name()] =
          read_tensor(t, fmt::format("initialiser '{}'", t.name()), importer.folder);
    }
    const auto nodes = inline_functions(*importer.model, branch, node.opset);
    take_names(nodes, importer);
    for (const auto& n : nodes) convert(importer, n);
    for (int i = 0; i < branch.output_size() && i < node.proto.output_size(); ++i) {
      const auto& from = branch.output(i).name();
      call.select_output(i);
      if (const auto c = importer.constants.find(from); c != importer.constants.end())
        call.define(c->second);
      else if (const auto v = importer.tensors.find(from); v != importer.tensors.end())
        call.alias(v->second);
      else
        fail_user("has a branch whose output '{}' no node produces", from);
    }
    return;
  }
  fail_user("lacks the branch that its condition chooses");
}

void convert(Importer& importer, const FlatNode& node) {
  try {
    check_defined(node.proto, importer);
    check_domain(node.proto, importer.exporter);
    check_operator(node.proto.op_type(), node.opset, importer.exporter);
    if (node.proto.op_type() == "If") return choose_branch(importer, node);
    Call call(importer, node.proto, node.opset);
    const bool done = fold_constants(call) || convert_linear(call) || convert_product(call) ||
                      convert_pool(call) || convert_reduction(call) || convert_elementwise(call) ||
                      convert_axis_function(call) || convert_shape(call) || convert_movement(call) ||
                      convert_gather(call) || convert_scatter(call) || convert_resize(call);
    if (!done) {
      if (call.op() == "DequantizeLinear")
        fail_user("turns computed integers into numbers: export the network before it is quantised");
      if (call.op() == "QuantizeLinear")
        fail_user("rounds activations to integers: export the network before it is quantised");
      fail_user("is {}, which Velum evaluates on constants only", call.op());
    }
    call.attributes.expect_no_more();
    if (call.op() != "Split") call.expect_one_output();
  } catch (const Error& e) {
    throw e.within(describe(node.proto));
  }
}

// All that cannot be read, in one error: a node behind another that was refused is not tried.
void convert_all(Importer& importer, const std::vector<FlatNode>& nodes) {
  constexpr std::size_t shown = 8;
  std::vector<std::string> refused;
  for (const auto& n : nodes) {
    const auto& in = n.proto.input();
    const bool behind = std::any_of(in.begin(), in.end(),
                                    [&](const std::string& name) { return importer.blocked.contains(name); });
    if (!behind) {
      try {
        convert(importer, n);
        continue;
      } catch (const Error& e) {
        if (e.kind() != ErrorKind::user) throw;
        refused.push_back(e.what());
      }
    }
    importer.blocked.insert(n.proto.output().begin(), n.proto.output().end());
    importer.blocked.erase("");
  }
  if (refused.empty()) return;
  if (refused.size() == 1) fail_user("{}", refused[0]);
  const auto count = refused.size();
  if (count > shown) refused.resize(shown);
  fail_user("{} nodes cannot be read: {}{}", count, fmt::join(refused, "; "), count > shown ? "; ..." : "");
}

std::string choose_output(const onnx::GraphProto& proto, const std::string& wanted, Graph& g) {
  std::vector<std::string> names;
  for (const auto& v : proto.output()) names.push_back(v.name());
  if (names.empty()) fail_user("has no outputs, expected at least one");
  if (!wanted.empty()) {
    if (std::find(names.begin(), names.end(), wanted) == names.end())
      fail_user("has no output '{}', its outputs are: {}", wanted, fmt::join(names, ", "));
    return wanted;
  }
  if (names.size() > 1)
    g.notes.push_back(fmt::format("takes the first of {} outputs ({}); --output NAME chooses another",
                                  names.size(), fmt::join(names, ", ")));
  return names[0];
}

}  // namespace

Graph import_graph(const onnx::ModelProto& model, std::int64_t opset, const ExternalFolder& folder,
                   const LoadOptions& options) {
  Importer importer;
  const auto& proto = model.graph();
  importer.model = &model;
  importer.opset = opset;
  importer.exporter = exporter_of(model);
  importer.folder = folder;
  importer.graph.name = proto.name();
  const std::string output = choose_output(proto, options.output, importer.graph);
  const auto nodes = needed_for(output, inline_functions(model, proto, opset));
  if (nodes.size() > max_nodes) fail_user("has {} nodes, expected at most {}", nodes.size(), max_nodes);
  for (const auto& n : nodes) note_reads(n.proto, importer.read_names);
  importer.read_names.insert(output);
  read_initialisers(proto, importer);
  take_names(nodes, importer);
  read_input(proto, nodes, importer, options.shape);
  convert_all(importer, nodes);
  const auto it = importer.tensors.find(output);
  if (it == importer.tensors.end())
    fail_user("output '{}' does not depend on the images, or no node produces it", output);
  importer.graph.output = it->second.tensor;
  return std::move(importer.graph);
}

}  // namespace velum::model
