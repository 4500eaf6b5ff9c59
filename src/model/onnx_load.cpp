// From bytes to a checked ONNX message: everything that concerns the file rather than the network.
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "model/onnx.h"
#include "model/onnx_import.h"
#include "model/simplify.h"

namespace velum::model {

namespace {

constexpr std::int64_t first_opset = 11, last_opset = 17;

onnx::ModelProto parse(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    fail_user("has {} bytes, an ONNX file has at most {}", bytes.size(), std::numeric_limits<int>::max());
  const google::protobuf::LogSilencer silence;  // the parser would print its own complaint to stderr
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    const bool started = model.ir_version() >= 1 && model.ir_version() <= 1000;
    if (started)
      fail_user("is a truncated or damaged ONNX file ({} bytes): copy or export it again", bytes.size());
    fail_user("is not an ONNX file ({} bytes)", bytes.size());
  }
  if (!model.has_graph())
    fail_user("is not an ONNX file, or was cut off: it holds no graph ({} bytes)", bytes.size());
  return model;
}

void check_opset(const onnx::ModelProto& model) {
  for (const auto& set : model.opset_import()) {
    if (!set.domain().empty() && set.domain() != "ai.onnx") continue;
    if (set.version() < first_opset || set.version() > last_opset)
      fail_user("uses ONNX opset {}, Velum reads {} to {}: export it with opset_version={}", set.version(),
                first_opset, last_opset, set.version() < first_opset ? first_opset : last_opset);
    return;
  }
  fail_user("names no ONNX opset, Velum reads {} to {}: the file is incomplete", first_opset, last_opset);
}

}  // namespace

Graph load_onnx(std::span<const std::uint8_t> bytes, const std::string& what) {
  try {
    const onnx::ModelProto model = parse(bytes);
    check_opset(model);
    Graph g = import_graph(model.graph());
    read_metadata(model, g);
    simplify(g);
    infer_shapes(g);
    if (g.nodes.empty()) fail_user("has no layer between its input and its output");
    return g;
  } catch (const Error& e) {
    throw e.within(what);
  }
}

Graph load_onnx(const std::string& path) {
  return load_onnx(read_file(path), path);
}

void save_onnx(const Graph& g, const std::string& path) {
  write_file_atomically(path, to_onnx(g));
}

}  // namespace velum::model
