// Operators that move or mix elements by fixed weights, as rows (Linear): of constants and of computed
// tensors alike.
#pragma once

#include <functional>

#include "model/onnx/call.h"

namespace velum::model {

// Input i as such an operator sees it: constant, or computed with the batch axis none of the axes it works
// along.
struct Operand {
  bool constant = false;
  Dims dims;  // as ONNX counts them; the batch axis has length 1
  int batch = no_batch;
  Value value;  // where it is computed
};
Operand operand(Call& call, int i, const Dims& axes, std::string_view what);

// Rows, one after the other.
class RowBuilder {
 public:
  explicit RowBuilder(Dims dims);  // of the output, as ONNX counts; refuses what is too large
  void add(std::int64_t column, double weight);
  void end_row(double bias = 0);
  const Dims& dims() const { return dims_; }
  Linear finish();  // `shape` is still `dims`

 private:
  Dims dims_;
  Linear rows_;
  bool ones_ = true, biased_ = false;
};

// Output element `index` is element source(index) of the input; -1: the number `otherwise`.
Linear moved(const Dims& out, const std::function<std::int64_t(const Dims& index)>& source,
             double otherwise = 0);

// The operator's output: rows of the operand, its batch axis now at `batch`.
void place(Call& call, const Operand& in, Linear rows, int batch);

// A constant of these elements as a tensor of the graph: rows without inputs.
std::string constant_tensor(Call& call, const Coefficients& values, const Shape& shape);

// A constant without the axis `batch` of a result with `rank` axes: every image has the same part of it.
// Refuses one that tells images apart. Nothing where the axis is longer and the file has one image: it
// repeats the image.
std::optional<Constant> same_for_images(const Importer& importer, const Constant& c, int batch,
                                        std::size_t rank);

// Positions in row-major order.
Dims row_strides(const Dims& dims);
std::int64_t position(const Dims& index, const Dims& strides);
// Every index of `dims` in row-major order.
void for_each(const Dims& dims, const std::function<void(const Dims& index)>& visit);
// Bounds what folding makes together: a small file must not make much.
void account(Importer& importer, std::int64_t elements);

}  // namespace velum::model
