// Functions that are not polynomials, in the clear: activations, comparisons, softmax, normalisation by the
// data.
#pragma once

#include <string>

#include "model/layer_kernels.h"

namespace velum::model {

// Whether an elementwise function of this name and number of inputs can be executed.
bool can_execute(const std::string& op, std::size_t inputs);

LayerKernel prepare_function(const Function& f, std::size_t inputs, const Shape& shape);
LayerKernel prepare_axis_function(const AxisFunction& f, const Shape& in);

}  // namespace velum::model
