// From bytes to a checked ONNX message: everything that concerns the file rather than the network.
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <limits>

#include "base/error.h"
#include "model/onnx.h"
#include "model/onnx/file.h"
#include "model/onnx/import.h"
#include "model/onnx/operator_table.h"
#include "model/pixels.h"
#include "model/printable_names.h"
#include "model/simplify.h"
#include "model/tail.h"
#include "system/file.h"

namespace velum::model {

namespace {

// Of the format itself; a newer one may hold fields that would be dropped without a word.
constexpr std::int64_t last_ir_version = 14;

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

void check_version(const onnx::ModelProto& model) {
  if (model.ir_version() > last_ir_version)
    fail_user("has IR version {}, Velum reads versions up to {}: export it with opset_version={}",
              model.ir_version(), last_ir_version, last_opset);
}

std::int64_t opset_of(const onnx::ModelProto& model) {
  for (const auto& set : model.opset_import()) {
    if (!set.domain().empty() && set.domain() != "ai.onnx") continue;
    if (set.version() < first_opset || set.version() > newest_opset)
      fail_user("uses ONNX opset {}, Velum reads {} to {}: export it with opset_version={}", set.version(),
                first_opset, last_opset, set.version() < first_opset ? 17 : last_opset);
    return set.version();
  }
  fail_user("names no ONNX opset, Velum reads {} to {}: the file is incomplete", first_opset, last_opset);
}

// `parsed` makes the message, and holds the file's bytes no longer than that.
template <typename Parsed>
Graph load(const Parsed& parsed, const std::string& what, const ExternalFolder& folder,
           const LoadOptions& options) {
  try {
    const onnx::ModelProto model = parsed();
    check_version(model);
    Graph g = import_graph(model, opset_of(model), folder, options);
    read_metadata(model, g);
    take_pixels(g, options.pixels);
    simplify(g);
    infer_shapes(g);
    split_tail(g);
    make_names_printable(g);
    if (g.nodes.empty()) fail_user("has no layer between its input and its output");
    return g;
  } catch (const Error& e) {
    throw e.within(what);
  }
}

}  // namespace

Graph load_onnx(std::span<const std::uint8_t> bytes, const std::string& what, const LoadOptions& options) {
  return load([&] { return parse(bytes); }, what, {}, options);
}

Graph load_onnx(const std::string& path, const LoadOptions& options) {
  const auto folder = std::filesystem::path(path).parent_path();
  auto bytes = read_onnx_file(path);
  const auto parsed = [&] {
    auto model = parse(bytes);
    bytes = {};
    return model;
  };
  return load(parsed, path, {folder.empty() ? "." : folder.string()}, options);
}

void save_onnx(const Graph& g, const std::string& path) {
  write_file_atomically(path, to_onnx(g));
}

}  // namespace velum::model
