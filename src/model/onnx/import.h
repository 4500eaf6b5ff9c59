// The importer's state. Private to the room.
#pragma once

#include <onnx/onnx_pb.h>

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/graph.h"
#include "model/onnx.h"
#include "model/onnx/constant.h"
#include "model/onnx/operator_table.h"

namespace velum::model {

// An ONNX tensor that depends on the images: a tensor of the graph, which has no batch axis, and where ONNX
// counts that axis. A file of one image (without a batch axis, or with one fixed to 1) may lose the axis and
// get it back: then it is one of `dims`, of length 1, and `batch` is none.
struct Value {
  std::string tensor;
  Shape dims;  // in ONNX's order, without the batch axis
  int batch = 0;
};
inline constexpr int no_batch = -1;

struct Importer {
  const onnx::ModelProto* model = nullptr;
  Graph graph;
  std::int64_t opset = 0;
  WrittenBy exporter = WrittenBy::other;
  ExternalFolder folder;
  std::int64_t declared_batch = 0;  // of the input; 0 where free, 1 for a file of one image
  std::unordered_map<std::string, Constant> constants;  // initialisers and what was computed from them
  std::unordered_map<std::string, Value> tensors;  // by ONNX name; Identity and others share a graph tensor
  std::unordered_map<std::string, Shape> shapes;   // of graph tensors
  std::set<std::string> tensor_names, node_names;  // taken
  std::set<std::string> read_names;                // ONNX tensors that some node or the output reads
  std::set<std::string> blocked;                   // ONNX tensors behind a node that was refused
  bool whole_input = false;                        // the images come as integers
  std::int64_t folded_elements = 0;                // computed so far, bounded against hostile files

  bool one_image() const { return declared_batch == 1; }
};

// A node of the file, after its functions were written out, and the opset that it is to be read by.
struct FlatNode {
  onnx::NodeProto proto;
  std::int64_t opset = 0;
};
// The nodes of the graph, or of a branch of it, with local functions replaced by their bodies, however deep.
// Refuses functions that call themselves.
std::vector<FlatNode> inline_functions(const onnx::ModelProto& model, const onnx::GraphProto& graph,
                                       std::int64_t opset);

// Reads the graph's inputs, initialisers, nodes and output.
Graph import_graph(const onnx::ModelProto& model, std::int64_t opset, const ExternalFolder& folder,
                   const LoadOptions& options);

// ranges, input range and free metadata, to and from metadata_props.
void read_metadata(const onnx::ModelProto& model, Graph& g);
void write_metadata(const Graph& g, onnx::ModelProto& model);

}  // namespace velum::model
