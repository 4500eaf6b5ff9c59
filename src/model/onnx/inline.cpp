// Local functions (an IR version's own composite operators) written out where they are called.
#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "model/onnx/import.h"

namespace velum::model {

namespace {

constexpr int max_depth = 32;
constexpr std::size_t max_flat_nodes = 20000;

using Names = std::map<std::string, std::string>;
using AttributeMap = std::map<std::string, const onnx::AttributeProto*>;

// Defaults of a function's attributes: a field that older definitions of the format do not know, so that it
// arrives among the unknown ones.
template <typename F>
std::vector<onnx::AttributeProto> defaults(const F& f) {
  std::vector<onnx::AttributeProto> out;
  if constexpr (requires { f.attribute_proto(); }) {
    out.assign(f.attribute_proto().begin(), f.attribute_proto().end());
  } else {
    constexpr int attribute_proto = 11;
    const auto& unknown = f.unknown_fields();
    for (int i = 0; i < unknown.field_count(); ++i) {
      const auto& field = unknown.field(i);
      onnx::AttributeProto a;
      if (field.number() == attribute_proto &&
          field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED &&
          a.ParseFromString(field.length_delimited()))
        out.push_back(a);
    }
  }
  return out;
}

class Inliner {
 public:
  explicit Inliner(const onnx::ModelProto& model) {
    for (const auto& f : model.functions()) functions_[{f.domain(), f.name()}] = &f;
  }

  void append(const onnx::NodeProto& node, std::int64_t opset, int depth) {
    const auto f = functions_.find({node.domain(), node.op_type()});
    if (f == functions_.end()) {
      if (out.size() >= max_flat_nodes) fail_user("has more than {} nodes", max_flat_nodes);
      out.push_back({node, opset});
      return;
    }
    if (depth >= max_depth)
      fail_user("node '{}' ({}): its functions call each other more than {} deep", node.name(),
                node.op_type(), max_depth);
    call(*f->second, node, opset, depth);
  }

  std::vector<FlatNode> out;

 private:
  void call(const onnx::FunctionProto& f, const onnx::NodeProto& node, std::int64_t opset, int depth) {
    const auto stated = defaults(f);
    AttributeMap attributes;
    for (const auto& a : stated) attributes[a.name()] = &a;
    for (const auto& a : node.attribute()) attributes[a.name()] = &a;
    for (const auto& set : f.opset_import())
      if (set.domain().empty() || set.domain() == "ai.onnx") opset = set.version();
    Names names{{"", ""}};
    const std::string prefix = fmt::format("{}/{}/", node.name().empty() ? f.name() : node.name(), calls_++);
    for (int i = 0; i < f.input_size(); ++i) names[f.input(i)] = i < node.input_size() ? node.input(i) : "";
    for (int i = 0; i < f.output_size(); ++i)
      names[f.output(i)] =
          i < node.output_size() && !node.output(i).empty() ? node.output(i) : prefix + f.output(i);
    for (const auto& inner : f.node()) {
      onnx::NodeProto copy = inner;
      copy.set_name(prefix + (inner.name().empty() ? inner.op_type() : inner.name()));
      rename(copy, names, prefix, attributes);
      append(copy, opset, depth + 1);
    }
  }

  static void rename(onnx::NodeProto& node, Names& names, const std::string& prefix,
                     const AttributeMap& outer) {
    const auto renamed = [&](const std::string& name) {
      return names.try_emplace(name, prefix + name).first->second;
    };
    for (auto& name : *node.mutable_input()) name = renamed(name);
    for (auto& name : *node.mutable_output()) name = renamed(name);
    onnx::NodeProto with;
    for (auto& a : *node.mutable_attribute()) {
      if (!a.ref_attr_name().empty()) {
        const auto given = outer.find(a.ref_attr_name());
        if (given == outer.end()) continue;  // neither stated nor a default: the operator's own
        auto* copy = with.add_attribute();
        *copy = *given->second;
        copy->set_name(a.name());
        continue;
      }
      if (a.has_g()) rename(*a.mutable_g(), names, prefix, outer);
      *with.add_attribute() = a;
    }
    *node.mutable_attribute() = with.attribute();
  }

  static void rename(onnx::GraphProto& graph, Names& names, const std::string& prefix,
                     const AttributeMap& outer) {
    const auto renamed = [&](const std::string& name) {
      return names.try_emplace(name, prefix + name).first->second;
    };
    for (auto& t : *graph.mutable_initializer()) t.set_name(renamed(t.name()));
    for (auto& n : *graph.mutable_node()) rename(n, names, prefix, outer);
    for (auto& v : *graph.mutable_output()) v.set_name(renamed(v.name()));
  }

  std::map<std::pair<std::string, std::string>, const onnx::FunctionProto*> functions_;
  std::size_t calls_ = 0;
};

}  // namespace

std::vector<FlatNode> inline_functions(const onnx::ModelProto& model, const onnx::GraphProto& graph,
                                       std::int64_t opset) {
  Inliner inliner(model);
  for (const auto& node : graph.node()) inliner.append(node, opset, 0);
  return std::move(inliner.out);
}

}  // namespace velum::model
