#include "model/onnx/rows.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

// Terms of all rows together.
constexpr std::size_t max_terms = std::size_t{1} << 26;

Constant evaluate(Importer& importer, const Constant& c, const Linear& rows) {
  account(importer, element_count(rows.shape));
  Constant out;
  out.dims = rows.shape;
  out.integral = c.integral && rows.weights.empty();
  for (std::size_t e = 0; e + 1 < rows.row_begin.size(); ++e) {
    double sum = rows.bias.empty() ? 0.0 : static_cast<double>(rows.bias[e]);
    std::int64_t whole = static_cast<std::int64_t>(sum);
    for (std::size_t k = rows.row_begin[e]; k < rows.row_begin[e + 1]; ++k) {
      const auto from = rows.columns[k];
      const double w = rows.weights.empty() ? 1.0 : static_cast<double>(rows.weights[k]);
      if (c.integral && is_free(c.integers[from]))
        whole = c.integers[from];
      else if (c.integral)
        whole += c.integers[from];
      sum += w * (c.integral ? static_cast<double>(c.integers[from]) : c.floats[from]);
    }
    if (out.integral)
      out.integers.push_back(whole);
    else
      out.floats.push_back(sum);
  }
  return out;
}

bool moves_nothing(const Linear& l, std::int64_t inputs) {
  if (inputs != static_cast<std::int64_t>(l.columns.size()) || !l.weights.empty() || !l.bias.empty() ||
      l.columns.size() + 1 != l.row_begin.size())
    return false;
  for (std::size_t e = 0; e < l.columns.size(); ++e)
    if (l.columns[e] != e || l.row_begin[e] != e) return false;
  return true;
}

}  // namespace

void account(Importer& importer, std::int64_t elements) {
  if (elements > max_tensor_elements || (importer.folded_elements += elements) > 4 * max_tensor_elements)
    fail_user("computes constants of more than {} elements", max_tensor_elements);
}

Operand operand(Call& call, int i, const Dims& axes, std::string_view what) {
  Operand o;
  o.constant = call.is_constant(i);
  if (o.constant) {
    o.dims = call.constant(i, "input").dims;
    return o;
  }
  o.value = call.beside(i, axes, what);
  o.dims = full_dims(o.value);
  o.batch = o.value.batch;
  return o;
}

RowBuilder::RowBuilder(Dims dims) : dims_(std::move(dims)) {
  if (dims_.size() > 8) fail_user("makes a tensor of {} axes, expected at most 8", dims_.size());
  check_shape(dims_);
  rows_.shape = dims_;
  rows_.row_begin.push_back(0);
}

void RowBuilder::add(std::int64_t column, double weight) {
  if (rows_.columns.size() >= max_terms) fail_user("needs more than {} terms as a sparse matrix", max_terms);
  rows_.columns.push_back(static_cast<std::uint32_t>(column));
  rows_.weights.push_back(static_cast<float>(weight));
  ones_ = ones_ && weight == 1;
}

void RowBuilder::end_row(double bias) {
  rows_.row_begin.push_back(static_cast<std::uint32_t>(rows_.columns.size()));
  rows_.bias.push_back(static_cast<float>(bias));
  biased_ = biased_ || bias != 0;
}

Linear RowBuilder::finish() {
  if (ones_) rows_.weights.clear();
  if (!biased_) rows_.bias.clear();
  return std::move(rows_);
}

Linear moved(const Dims& out, const std::function<std::int64_t(const Dims& index)>& source,
             double otherwise) {
  RowBuilder b(out);
  for_each(out, [&](const Dims& index) {
    const auto from = source(index);
    if (from >= 0) b.add(from, 1);
    b.end_row(from >= 0 ? 0 : otherwise);
  });
  return b.finish();
}

void place(Call& call, const Operand& in, Linear rows, int batch) {
  if (in.constant) {
    call.define(evaluate(call.importer(), call.constant(0, "input"), rows));
    return;
  }
  const Shape shape = without_batch(rows.shape, batch);
  if (moves_nothing(rows, element_count(in.value.dims))) {
    call.finish(Reshape{}, {in.value.tensor}, shape, batch);
    return;
  }
  rows.shape = shape;
  call.finish(std::move(rows), {in.value.tensor}, {}, batch);
}

std::string constant_tensor(Call& call, const Coefficients& values, const Shape& shape) {
  Linear l;
  l.shape = shape;
  for (const double v : broadcast(values, shape)) l.bias.push_back(static_cast<float>(v));
  l.row_begin.assign(l.bias.size() + 1, 0);
  return call.part(std::move(l), {call.importer().graph.input});
}

std::optional<Constant> same_for_images(const Importer& importer, const Constant& c, int batch,
                                        std::size_t rank) {
  const auto own = batch - static_cast<int>(rank) + static_cast<int>(c.dims.size());
  if (batch == no_batch || own < 0) return c;
  const auto axis = static_cast<std::size_t>(own);
  const auto images = c.dims[axis];
  if (images != 1 && importer.one_image()) return std::nullopt;
  if (images != 1 && images != importer.declared_batch)
    fail_user(
        "combines the images with a constant of shape {}, whose axis {} is that of the images: it would mix "
        "them",
        fmt::join(c.dims, "x"), own);
  Constant out;
  out.integral = c.integral;
  out.dims = c.dims;
  out.dims.erase(out.dims.begin() + own);
  std::int64_t inner = 1;
  for (std::size_t a = axis + 1; a < c.dims.size(); ++a) inner *= c.dims[a];
  for (std::int64_t i = 0; i < c.size(); ++i) {
    const auto image = i / inner % images, first = i - image * inner;
    const auto at = static_cast<std::size_t>(i), also = static_cast<std::size_t>(first);
    const bool same = c.integral ? c.integers[at] == c.integers[also] : c.floats[at] == c.floats[also];
    if (!same)
      fail_user(
          "combines the images with a constant of shape {}, which differs from image to image of its {}",
          fmt::join(c.dims, "x"), images);
    if (image != 0) continue;
    if (c.integral)
      out.integers.push_back(c.integers[at]);
    else
      out.floats.push_back(c.floats[at]);
  }
  return out;
}

Dims row_strides(const Dims& dims) {
  Dims s(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) s[i - 1] = s[i] * dims[i];
  return s;
}

std::int64_t position(const Dims& index, const Dims& strides) {
  std::int64_t at = 0;
  for (std::size_t a = 0; a < index.size(); ++a) at += index[a] * strides[a];
  return at;
}

void for_each(const Dims& dims, const std::function<void(const Dims& index)>& visit) {
  if (std::find(dims.begin(), dims.end(), 0) != dims.end()) return;
  Dims index(dims.size(), 0);
  while (true) {
    visit(index);
    std::size_t a = dims.size();
    while (a > 0 && ++index[a - 1] == dims[a - 1]) index[--a] = 0;
    if (a == 0) return;
  }
}

}  // namespace velum::model
