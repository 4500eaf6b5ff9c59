// MatMul and Einsum: a constant tensor times a computed one along axes of either.
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

// Axes by letters, as Einsum writes them: one letter, one length.
struct Labelled {
  std::string labels;
  Dims dims;
};

using Lengths = std::map<char, std::int64_t>;

void collect(const Labelled& t, Lengths& lengths) {
  if (t.labels.size() != t.dims.size())
    fail_user("names the axes '{}' of a tensor {}", t.labels, fmt::join(t.dims, "x"));
  for (std::size_t a = 0; a < t.dims.size(); ++a) {
    auto& n = lengths.try_emplace(t.labels[a], t.dims[a]).first->second;
    if (n == 1) n = t.dims[a];
    if (t.dims[a] != n && t.dims[a] != 1)
      fail_user("multiplies axes of {} and {} elements ('{}')", n, t.dims[a], t.labels[a]);
  }
}

// How a tensor's position grows with the index of each label.
Dims steps(const Labelled& t, const std::string& order) {
  const Dims own = row_strides(t.dims);
  Dims out(order.size(), 0);
  for (std::size_t a = 0; a < t.dims.size(); ++a)
    if (t.dims[a] != 1) out[order.find(t.labels[a])] += own[a];
  return out;
}

// out[...] = sum of x[...] * w[...] over the labels that the result leaves out. `w` null: of x alone.
Linear contract(const Labelled& x, const Labelled& w, const Constant* values, const std::string& out) {
  Lengths lengths;
  collect(x, lengths);
  collect(w, lengths);
  std::string order = out;
  Dims dims, summed;
  for (const char c : out) {
    if (!lengths.contains(c)) fail_user("has a result with an axis '{}' that no input has", c);
    dims.push_back(lengths.at(c));
  }
  for (const auto& [c, n] : lengths)
    if (out.find(c) == std::string::npos) {
      order += c;
      summed.push_back(n);
    }
  // Zeros are left out of the rows, but not out of the time that it takes to find them.
  std::int64_t terms = 1;
  for (const auto& [c, n] : lengths)
    if (__builtin_mul_overflow(terms, n, &terms) || terms > 8 * max_tensor_elements)
      fail_user("is a product of more than {} terms", 8 * max_tensor_elements);
  const Dims at_x = steps(x, order), at_w = steps(w, order);
  const auto split = static_cast<std::ptrdiff_t>(out.size());
  const Dims x_out(at_x.begin(), at_x.begin() + split), x_sum(at_x.begin() + split, at_x.end());
  const Dims w_out(at_w.begin(), at_w.begin() + split), w_sum(at_w.begin() + split, at_w.end());
  RowBuilder rows(dims);
  for_each(dims, [&](const Dims& index) {
    const auto from_x = position(index, x_out), from_w = position(index, w_out);
    for_each(summed, [&](const Dims& term) {
      const auto k = static_cast<std::size_t>(from_w + position(term, w_sum));
      const double weight = values ? values->floats[k] : 1.0;
      if (weight != 0) rows.add(from_x + position(term, x_sum), weight);
    });
    rows.end_row();
  });
  return rows.finish();
}

// x of {.., F} times [F][O], where the batch axis is not the last one.
void dense_on_last_axis(Call& call, const Value& v, const Constant& m) {
  const Shape& in = v.dims;
  const auto features = m.dims[0], outputs = m.dims[1];
  if (in.back() != features) fail_user("multiplies {} features by a matrix of {} rows", in.back(), features);
  Shape out = in;
  out.back() = outputs;
  std::int64_t positions = 1;
  for (std::size_t a = 0; a + 1 < in.size(); ++a) positions *= in[a];
  std::vector<float> by_output(m.floats.size());
  for (std::int64_t f = 0; f < features; ++f)
    for (std::int64_t o = 0; o < outputs; ++o)
      by_output[static_cast<std::size_t>(o * features + f)] =
          static_cast<float>(m.floats[static_cast<std::size_t>(f * outputs + o)]);
  if (positions == 1) {
    Dense d;
    d.outputs = outputs;
    d.weights = std::move(by_output);
    if (in.size() == 1) {
      call.finish(std::move(d), {v.tensor}, {}, v.batch);
      return;
    }
    const auto flat = call.part(Reshape{}, {v.tensor}, {features});
    call.finish(Reshape{}, {call.part(std::move(d), {flat})}, out, v.batch);
    return;
  }
  // A 1x1 convolution over the positions.
  Convolution c;
  c.outputs = outputs;
  c.kernel_h = c.kernel_w = 1;
  c.weights = std::move(by_output);
  const auto rows = call.part(Reshape{}, {v.tensor}, {positions, features});
  const auto first = call.part(Transpose{{1, 0}}, {rows});
  const auto map = call.part(Reshape{}, {first}, {features, positions, 1});
  const auto product = call.part(std::move(c), {map});
  const auto flat = call.part(Reshape{}, {product}, {outputs, positions});
  const auto last = call.part(Transpose{{1, 0}}, {flat});
  call.finish(Reshape{}, {last}, out, v.batch);
}

std::string letters(std::size_t count, char first) {
  std::string s;
  for (std::size_t i = 0; i < count; ++i) s += static_cast<char>(first + static_cast<char>(i));
  return s;
}

// The labels of a matrix product: leading axes right-aligned, then rows, inner, columns.
struct ProductLabels {
  std::string left, right, out;
};
ProductLabels product_labels(std::size_t left, std::size_t right) {
  ProductLabels l;
  const std::size_t leading = std::max<std::size_t>(std::max(left, right), 2) - 2;
  const std::string all = letters(leading, 'a');
  const auto own = [&](std::size_t rank) {
    return rank < 2 ? std::string() : all.substr(leading - (rank - 2));
  };
  l.left = left == 1 ? "k" : own(left) + "mk";
  l.right = right == 1 ? "k" : own(right) + "kn";
  l.out = all + (left == 1 ? "" : "m") + (right == 1 ? "" : "n");
  return l;
}

std::size_t rank_of_input(Call& call, int i) {
  return call.is_constant(i) ? call.constant(i, "input").dims.size() : rank_of(call.value(i));
}

// Either input is the constant; the result keeps the batch axis, which may not be summed over.
void product(Call& call, int computed, const std::string& x_labels, const std::string& w_labels,
             const std::string& out) {
  const bool alone = call.input_count() == 1;
  const Constant* w = alone ? nullptr : &call.weights(1 - computed, "matrix");
  Dims touched;
  for (std::size_t a = 0; a < x_labels.size(); ++a) {
    const bool in_w = w_labels.find(x_labels[a]) != std::string::npos;
    if (out.find(x_labels[a]) == std::string::npos || (in_w && w->dims[w_labels.find(x_labels[a])] != 1))
      touched.push_back(static_cast<std::int64_t>(a));
  }
  if (x_labels.size() != rank_of_input(call, computed))
    fail_user("multiplies a tensor of {} axes, expected {}", rank_of_input(call, computed), x_labels.size());
  const Operand x = operand(call, computed, touched, "multiplies along");
  const auto batch = x.batch == no_batch
                         ? no_batch
                         : static_cast<int>(out.find(x_labels[static_cast<std::size_t>(x.batch)]));
  place(call, x, contract({x_labels, x.dims}, {w_labels, w ? w->dims : Dims{}}, w, out), batch);
}

void matmul(Call& call) {
  call.expect_inputs(2, 2);
  if (!call.is_constant(0) && !call.is_constant(1))
    fail_user("is a product of two matrices computed from the images, which is not supported");
  const int computed = call.is_constant(0) && !call.is_constant(1) ? 1 : 0;
  const Constant& w = call.weights(1 - computed, "matrix");
  const auto rank = rank_of_input(call, computed);
  if (computed == 0 && !call.is_constant(0) && w.dims.size() == 2 && rank >= 2) {
    const Value v = call.value(0);
    if (v.batch != static_cast<int>(rank) - 1 && !v.dims.empty()) return dense_on_last_axis(call, v, w);
  }
  const auto l = computed == 0 ? product_labels(rank, w.dims.size()) : product_labels(w.dims.size(), rank);
  product(call, computed, computed == 0 ? l.left : l.right, computed == 0 ? l.right : l.left, l.out);
}

void einsum(Call& call) {
  call.expect_inputs(1, 2);
  std::string text = call.attributes.text("equation", "");
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  const auto arrow = text.find("->"), comma = text.find(',');
  if (arrow == std::string::npos || text.find('.') != std::string::npos)
    fail_user("has the equation '{}', expected one with '->' and without '...'", text);
  const std::string out = text.substr(arrow + 2), first = text.substr(0, std::min(comma, arrow));
  const std::string second = comma < arrow ? text.substr(comma + 1, arrow - comma - 1) : "";
  if ((call.input_count() == 2) != (comma < arrow))
    fail_user("has the equation '{}' for {} inputs", text, call.input_count());
  if (call.input_count() == 2 && !call.is_constant(0) && !call.is_constant(1))
    fail_user("is a product of two tensors computed from the images, which is not supported");
  const bool swapped = call.input_count() == 2 && call.is_constant(0) && !call.is_constant(1);
  product(call, swapped ? 1 : 0, swapped ? second : first, swapped ? first : second, out);
}

}  // namespace

bool convert_product(Call& call) {
  if (call.op() == "MatMul")
    matmul(call);
  else if (call.op() == "Einsum")
    einsum(call);
  else
    return false;
  return true;
}

}  // namespace velum::model
