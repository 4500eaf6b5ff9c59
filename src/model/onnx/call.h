// One ONNX node on its way into the graph: what the converters ask of it and what they make.
#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <string_view>
#include <vector>

#include "model/onnx/attributes.h"
#include "model/onnx/import.h"

namespace velum::model {

using Dims = std::vector<std::int64_t>;

class Call {
 public:
  Call(Importer& importer, const onnx::NodeProto& proto, std::int64_t opset)
      : attributes(proto), importer_(importer), proto_(proto), opset_(opset) {}

  Attributes attributes;

  const std::string& op() const { return proto_.op_type(); }
  std::int64_t opset() const { return opset_; }
  Importer& importer() { return importer_; }
  const onnx::NodeProto& proto() const { return proto_; }
  int input_count() const { return proto_.input_size(); }
  int output_count() const { return proto_.output_size(); }
  bool has_input(int i) const { return i < proto_.input_size() && !proto_.input(i).empty(); }
  bool is_constant(int i) const { return has_input(i) && importer_.constants.contains(proto_.input(i)); }
  // Refuses an input that is absent or depends on the images.
  const Constant& constant(int i, std::string_view what) const;
  const Constant& weights(int i, std::string_view what) const;  // and not floats
  std::vector<float> float_weights(int i, std::string_view what) const;
  Dims integers(int i, std::string_view what) const;  // and not integers
  double number(int i, std::string_view what) const;  // and not one number
  // Axes as an attribute before opset `since`, as an input from then on; `otherwise` where absent.
  Dims listed(const char* name, int input, std::int64_t since, Dims otherwise);

  // Refuses an input that is absent or constant.
  Value value(int i) const;
  // The value with the batch axis in front, as most operators want it; refuses where it lies elsewhere.
  Value in_front(int i);
  const std::string& tensor(int i) { return (front_ = in_front(i)).tensor; }
  const Shape& shape(int i) { return (front_ = in_front(i)).dims; }
  // The value with its batch axis as an ordinary axis of length 1: only for a file of one image; `what` is
  // what the operator would do to the axis.
  Value plain(const Value& v, std::string_view what);
  // The value, its batch axis none of these axes (as ONNX counts); `what` as above.
  Value beside(int i, const Dims& axes, std::string_view what);

  // Refuses more inputs than these.
  void expect_inputs(int low, int high) const;
  // Refuses outputs in use beyond the first.
  void expect_one_output() const;

  // Appends a layer; returns its output tensor. `finish` gives it the ONNX output's name, with its batch axis
  // at `batch`; `part` one of its own.
  std::string finish(Operation op, std::vector<std::string> inputs, Shape target = {}, int batch = 0);
  std::string part(Operation op, std::vector<std::string> inputs, Shape target = {});
  Value part_of(const Value& v, Operation op, Shape target = {});
  // The ONNX output is an existing value, or a constant.
  void alias(const Value& v);
  void define(Constant c);
  // Which output the three above make; 0 at first.
  void select_output(int i) { output_ = i; }
  bool output_is_read(int i) const;

 private:
  std::string append(Operation op, std::vector<std::string> inputs, Shape target, const std::string& output);
  const std::string& output() const { return proto_.output(output_); }

  Importer& importer_;
  const onnx::NodeProto& proto_;
  std::int64_t opset_;
  int output_ = 0;
  Value front_;
};

// Axis as ONNX counts it (negative from the end) to 0..rank-1; refuses others.
std::int64_t checked_axis(std::int64_t axis, std::size_t rank);
// The number of axes that ONNX counts, and their lengths, the batch axis as 1.
std::size_t rank_of(const Value& v);
Dims full_dims(const Value& v);
// The place in `dims` of an axis that ONNX counts and that is not the batch axis.
int feature_axis(const Value& v, std::int64_t axis);
// The lengths without the axis `batch`, and whether that is an axis at all.
Shape without_batch(const Dims& full, int batch);

}  // namespace velum::model
