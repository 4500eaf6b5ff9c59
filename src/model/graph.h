// A network as a graph of layers, as plain values. Tensors are named; shapes leave out the batch axis.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/shape.h"

namespace velum::model {

// Constant coefficients, broadcast to a tensor's shape: dims has as many axes as the tensor, each 1 or the
// tensor's. An empty dims is a scalar.
struct Coefficients {
  Shape dims;
  std::vector<float> values;
};
// values[i] for element i of `shape`, broadcast.
std::vector<double> broadcast(const Coefficients& c, const Shape& shape);

struct Convolution {  // {C,H,W} -> {O,H',W'}
  std::int64_t outputs = 0, kernel_h = 0, kernel_w = 0;
  std::int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, groups = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  std::vector<float> weights;  // [O][C/groups][kh][kw]
  std::vector<float> bias;     // [O] or empty
};
struct Dense {  // {F} -> {O}
  std::int64_t outputs = 0;
  std::vector<float> weights;  // [O][F]
  std::vector<float> bias;     // [O] or empty
};
struct ScaleShift {  // y = scale * x + shift: batch norm, Add/Sub/Mul/Div with constants
  Coefficients scale, shift;
};
struct AveragePool {
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1;
  std::int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool count_include_pad = false;
};
struct GlobalAveragePool {};  // {C,H,W} -> {C,1,1}
struct Pad {                  // zeros around {C,H,W}
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
};
struct Reshape {};  // same elements in the same order, other shape (Flatten, Squeeze, Unsqueeze, Reshape)
struct Transpose {  // element permutation: output axis i is input axis axes[i] (batch axis excluded)
  std::vector<int> axes;
};
struct Concat {};  // of inputs along axis 0 (channels)
struct Combine {   // sum of factor[i] * input[i]: Add and Sub of branches
  std::vector<double> factors;
};
struct Multiply {};  // elementwise product of two branches
struct Quadratic {   // y = a x^2 + b x + c
  Coefficients a, b, c;
};
// Any other affine map, by rows: out[e] = bias[e] + sum of weights[k] * in[columns[k]] over the k from
// row_begin[e] up to row_begin[e + 1]. Slices, padding of any kind, reductions, resizing: whatever is linear
// and has no layer of its own.
struct Linear {
  Shape shape;                                    // of the output
  std::vector<std::uint32_t> row_begin, columns;  // output elements + 1 entries; places in the input
  std::vector<float> weights;                     // empty: all of them are 1
  std::vector<float> bias;                        // by output element; empty: none
};
// Not polynomial: executed in the clear, loaded for training from a foreign model, refused by the planner.
struct Relu {};
struct MaxPool {
  AveragePool window;
};
struct Function {  // elementwise, of one or more tensors of one shape
  std::string op;  // ONNX operator type
  double alpha = 0, beta = 0;
};
struct AxisFunction {  // mixes the elements along the axes first to last - 1: softmax, normalisation by the
                       // data
  std::string op;      // ONNX operator type
  int first = 0, last = 1;
  double alpha = 0, beta = 0, bias = 0;
  std::int64_t size = 0;
};
struct Unsupported {  // any other operator, kept so that the refusal can name it
  std::string op;     // ONNX operator type
};

using Operation = std::variant<Convolution, Dense, ScaleShift, AveragePool, GlobalAveragePool, Pad, Reshape,
                               Transpose, Concat, Combine, Multiply, Quadratic, Relu, MaxPool, Unsupported,
                               Linear, Function, AxisFunction>;
std::string_view operation_name(const Operation& op);  // "convolution", "dense", ...

struct Range {  // of a tensor's elements over data: what the planner must never see exceeded, and the typical
                // size
  double low = 0, high = 0;
  double rms = 0;  // root mean square; 0 where unknown
  // The root mean square of the middle image: what ordinary images are like where a few outliers are most of
  // the rms. 0 where unknown.
  double typical = 0;
};

// What a file takes as pixels. Everywhere in Velum an image is x from 0 (black) to 1 (white); the first layer
// makes (low + x (high - low) - mean) / deviation of it.
struct Pixels {
  enum class Origin {
    assumed,   // nothing says otherwise
    integers,  // the file's input is of whole numbers
    found,     // its first step divides by the range
    recorded,  // the file says so, and takes images from 0 to 1: Velum made it from one that did not
    stated     // by the user
  };
  Origin origin = Origin::assumed;
  double low = 0, high = 1;             // for black and white
  std::vector<double> mean, deviation;  // one, or one a channel; empty: 0 and 1
};

struct Node {
  std::string name;  // unique, not empty
  Operation op;
  std::vector<std::string> inputs;  // tensor names
  std::string output;               // tensor name; each is produced once
  Shape shape;                      // of the output
};

struct Graph {
  std::string name;
  std::string input;  // tensor name
  Shape input_shape;
  Range input_range{0, 1, 0};
  std::string output;       // tensor name
  std::vector<Node> nodes;  // in topological order
  // What the file computes from the output without changing the prediction (a final softmax): for the client,
  // in the clear. The last node's output is the file's.
  std::vector<Node> tail;
  std::map<std::string, Range> ranges;  // by tensor name; the planner needs those of every Quadratic's input
  std::vector<std::string> notes;       // what the importer dropped or relabelled, for the user
  std::map<std::string, std::string>
      metadata;  // free: training recipe, data set, accuracy; travels through ONNX

  Pixels pixels;
  // The file stores its images with the channels last; here they come first, and a transpose follows.
  bool channels_last = false;

  const Node* producer(const std::string& tensor) const;  // null for the input
  const Shape& shape_of(const std::string& tensor) const;
};

// The network with its tail: what the file itself computes.
Graph with_tail(Graph g);

// Shape inference: fills Node::shape from the inputs; throws Error(user) naming the node where shapes do not
// fit.
void infer_shapes(Graph& g);
// Throws Error(user) where nodes are not polynomial: all of their names, what they would need, and the recipe
// of `velum train` that replaces them.
void require_polynomial(const Graph& g);

}  // namespace velum::model
