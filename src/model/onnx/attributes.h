// Attributes of an ONNX node, read by name and type; one that nobody asked for is refused at the end, so that
// no attribute is silently ignored.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace velum::model {

class Attributes {
 public:
  explicit Attributes(const onnx::NodeProto& node);

  bool has(const char* name) const;
  std::int64_t integer(const char* name, std::int64_t otherwise);
  double real(const char* name, double otherwise);
  std::string text(const char* name, const std::string& otherwise);
  std::vector<std::int64_t> integers(const char* name, std::vector<std::int64_t> otherwise);
  const onnx::TensorProto& tensor(const char* name);
  std::vector<double> reals(const char* name);
  void ignore(const char* name) { read_.insert(name); }  // has no influence on inference
  void ignore_all();
  // Refuses attributes that were not read.
  void expect_no_more() const;

 private:
  const onnx::AttributeProto* find(const char* name, onnx::AttributeProto::AttributeType type);

  const onnx::NodeProto& node_;
  std::set<std::string> read_;
};

}  // namespace velum::model
