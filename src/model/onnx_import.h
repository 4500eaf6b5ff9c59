// The importer's state, and what the operator converters share. Private to the room.
#pragma once

#include <onnx/onnx_pb.h>

#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/graph.h"
#include "model/onnx_attributes.h"
#include "model/onnx_constant.h"

namespace velum::model {

struct Importer {
  Graph graph;
  std::int64_t declared_batch = 0;                      // of the input; 0 where symbolic or -1
  std::unordered_map<std::string, Constant> constants;  // initialisers and what was computed from them
  std::unordered_map<std::string, std::string>
      tensors;                                    // ONNX name -> graph tensor (Identity and others share one)
  std::unordered_map<std::string, Shape> shapes;  // of graph tensors, without the batch axis
  std::set<std::string> tensor_names, node_names;  // taken
  std::set<std::string> read_names;                // ONNX tensors that some node or the output reads
  std::int64_t folded_elements = 0;                // computed so far, bounded against hostile files
};

// One ONNX node on its way into the graph.
class Call {
 public:
  Call(Importer& importer, const onnx::NodeProto& proto)
      : attributes(proto), importer_(importer), proto_(proto) {}

  Attributes attributes;

  const std::string& op() const { return proto_.op_type(); }
  Importer& importer() { return importer_; }
  int input_count() const { return proto_.input_size(); }
  bool has_input(int i) const { return i < proto_.input_size() && !proto_.input(i).empty(); }
  bool is_constant(int i) const { return has_input(i) && importer_.constants.contains(proto_.input(i)); }
  // Refuses an input that is absent or depends on the images.
  const Constant& constant(int i, std::string_view what) const;
  const Constant& weights(int i, std::string_view what) const;  // and not floats
  std::vector<float> float_weights(int i, std::string_view what) const;
  std::vector<std::int64_t> integers(int i, std::string_view what) const;  // and not integers
  // Refuses an input that is absent or constant.
  const std::string& tensor(int i) const;
  const Shape& shape(int i) const;
  // Refuses more inputs than these.
  void expect_inputs(int low, int high) const;
  // Refuses outputs in use beyond the first.
  void expect_one_output() const;

  // Appends a layer; returns its output tensor. `finish` gives it the ONNX output's name; `part` one of its
  // own.
  std::string finish(Operation op, std::vector<std::string> inputs, Shape target = {});
  std::string part(Operation op, std::vector<std::string> inputs, Shape target = {});
  // The ONNX output is an existing tensor, or a constant.
  void alias(const std::string& tensor);
  void define(Constant c);

 private:
  std::string append(Operation op, std::vector<std::string> inputs, Shape target, const std::string& output);

  Importer& importer_;
  const onnx::NodeProto& proto_;
};

// Reads the graph's inputs, initialisers, nodes and output.
Graph import_graph(const onnx::GraphProto& proto);

// A node whose inputs are all constants, or that asks only for a shape: true where its value is now a
// constant. A name that it cannot compute is refused.
bool fold_constants(Call& call);
// Elementwise arithmetic of constants, with broadcasting.
Constant fold_binary(Importer& importer, const std::string& op, const Constant& x, const Constant& y);

// The converters by concept; each returns false for an operator that is not its own.
bool convert_linear(Call& call);  // Conv, Gemm, MatMul, BatchNormalization
bool convert_pool(Call& call);    // AveragePool, GlobalAveragePool, ReduceMean, MaxPool, Pad
bool convert_elementwise(
    Call& call);                 // Add, Sub, Mul, Div, Neg, Pow, Sum, Relu and other activations, no-ops
bool convert_shape(Call& call);  // Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Concat

// kernel_shape, strides, pads, auto_pad, dilations of Conv and the pools, for an input of {C,H,W}.
struct Window {
  std::int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t pad_top, pad_left, pad_bottom, pad_right;
};
Window read_window(Call& call, const Shape& in, std::vector<std::int64_t> kernel);

// Axis as ONNX counts it (batch axis 0, negative from the end) to 0..rank-1; refuses others.
std::int64_t checked_axis(std::int64_t axis, std::size_t rank_with_batch);

// ranges, input range and free metadata, to and from metadata_props.
void read_metadata(const onnx::ModelProto& model, Graph& g);
void write_metadata(const Graph& g, onnx::ModelProto& model);

}  // namespace velum::model
