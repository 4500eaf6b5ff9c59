// What the values of a plan stand for in the model: each element as the clear executor's tensors give it. The
// plan itself does not carry this (the server has no use for it); probes and tests compare by it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace velum::plan {

// Element e is offset[e] + sum over terms of factor[e] * tensor[position[e]], squared where `squared` is set.
// One term but for the two halves of a product of branches.
struct Meaning {
  struct Term {
    std::string tensor;
    std::vector<double> factor;  // by element
  };
  std::vector<Term> terms;
  std::vector<std::uint32_t> position;  // by element: row-major in every term's tensor
  std::vector<double> offset;           // by element
  bool squared = false;
};

// A tensor of one image, row-major.
using TensorOf = std::function<std::span<const double>(const std::string& tensor)>;

// The elements that the clear executor expects.
std::vector<double> expected_elements(const Meaning& m, const TensorOf& tensor);

// One unit of element e in the tensor's own units: completing the square and evening out sums shift and scale
// the elements, and a precision is worth stating only against the layer's own values. 1 where there is no
// single tensor to refer to (products of branches, relinearised squares).
double unit_in_tensor(const Meaning& m, std::size_t element);

// The value that precisions of element e are stated against: the tensor's own, or the element's where there
// is none.
double reference(const Meaning& m, std::size_t element, double expected);

// Only these elements, in this order.
Meaning select(const Meaning& m, std::span<const std::uint32_t> elements);

}  // namespace velum::plan
