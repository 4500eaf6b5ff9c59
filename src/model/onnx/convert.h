// The converters by concept; each returns false for an operator that is not its own.
#pragma once

#include "model/onnx/call.h"

namespace velum::model {

// A node whose inputs are all constants, or that asks only for a shape: true where its value is now a
// constant. What moves or mixes elements is left to its own converter, which takes constants too.
bool fold_constants(Call& call);

// A function of one constant, element by element. Whole numbers stay whole where they are cut (Clip).
Constant evaluate(Call& call, const Function& f, const Constant& c);

bool convert_linear(Call& call);       // Conv, ConvTranspose, Gemm, BatchNormalization
bool convert_product(Call& call);      // MatMul, Einsum
bool convert_pool(Call& call);         // AveragePool, MaxPool and the global ones
bool convert_reduction(Call& call);    // ReduceMean, ReduceSum, ReduceMax, CumSum, ...
bool convert_elementwise(Call& call);  // Add, Sub, Mul, Div, Neg, Pow, Sum, activations, comparisons, no-ops
bool convert_axis_function(Call& call);  // Softmax, ArgMax, LayerNormalization, ...
bool convert_shape(Call& call);          // Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Concat
bool convert_movement(Call& call);       // Slice, Split, Tile, Expand, Pad, Trilu, DepthToSpace, SpaceToDepth
bool convert_gather(Call& call);         // Gather, GatherElements, GatherND
bool convert_scatter(Call& call);        // ScatterElements, ScatterND
bool convert_resize(Call& call);         // Resize, Upsample

// kernel_shape, strides, pads, auto_pad, dilations of Conv and the pools, for an input of {C, ..}: one of
// each for every spatial axis.
struct WindowAxis {
  std::int64_t extent, kernel, stride, dilation, before, after;
};
std::vector<WindowAxis> read_window_axes(Call& call, const Shape& in, const Dims& kernel);
// The same of {C,H,W}, or of {C,W} where H counts as 1.
struct Window {
  std::int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  std::int64_t pad_top, pad_left, pad_bottom, pad_right;
};
Window read_window(Call& call, const Shape& in, const Dims& kernel);
// {C,W} as {C,1,W}: the same tensor for layers with two spatial axes.
Value as_map(Call& call, const Value& v);

}  // namespace velum::model
