#include "plan/lower/linear.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace velum::plan {

namespace {

using model::Shape;

struct Map3 {  // of a {C, H, W} tensor
  std::int64_t c, h, w;
  explicit Map3(const Shape& s) : c(s[0]), h(s[1]), w(s[2]) {}
  std::uint32_t at(std::int64_t ch, std::int64_t y, std::int64_t x) const {
    return static_cast<std::uint32_t>((ch * h + y) * w + x);
  }
};

std::vector<double> per_channel(const std::vector<float>& bias, const Shape& out) {
  std::vector<double> all;
  if (bias.empty()) return all;
  const auto plane = static_cast<std::size_t>(model::element_count(out)) / bias.size();
  for (const float b : bias) all.insert(all.end(), plane, static_cast<double>(b));
  return all;
}

LinearMap convolution(const model::Convolution& c, const Shape& in_shape, const Shape& out_shape) {
  return [&c, in = Map3(in_shape), out = Map3(out_shape)](const auto& emit) {
    const std::int64_t in_channels = in.c / c.groups, out_channels = out.c / c.groups;
    LinearRows rows;
    std::vector<std::int64_t> taps;  // of each input, within one filter
    for (std::int64_t y = 0; y < out.h; ++y)
      for (std::int64_t x = 0; x < out.w; ++x)
        for (std::int64_t g = 0; g < c.groups; ++g) {
          rows = {};
          taps.clear();
          for (std::int64_t ky = 0; ky < c.kernel_h; ++ky)
            for (std::int64_t kx = 0; kx < c.kernel_w; ++kx) {
              const auto iy = y * c.stride_h - c.pad_top + ky * c.dilation_h;
              const auto ix = x * c.stride_w - c.pad_left + kx * c.dilation_w;
              if (iy < 0 || iy >= in.h || ix < 0 || ix >= in.w) continue;
              for (std::int64_t ch = 0; ch < in_channels; ++ch) {
                rows.inputs.push_back(in.at(g * in_channels + ch, iy, ix));
                taps.push_back((ch * c.kernel_h + ky) * c.kernel_w + kx);
              }
            }
          const std::int64_t filter = in_channels * c.kernel_h * c.kernel_w;
          for (std::int64_t o = g * out_channels; o < (g + 1) * out_channels; ++o) {
            rows.outputs.push_back(out.at(o, y, x));
            for (const auto t : taps)
              rows.weights.push_back(
                  static_cast<double>(c.weights[static_cast<std::size_t>(o * filter + t)]));
          }
          emit(rows);
        }
  };
}

LinearMap dense(const model::Dense& d) {
  return [&d](const auto& emit) {
    LinearRows rows;
    const auto inputs = d.weights.size() / static_cast<std::size_t>(d.outputs);
    rows.inputs.resize(inputs);
    std::iota(rows.inputs.begin(), rows.inputs.end(), 0u);
    rows.outputs.resize(static_cast<std::size_t>(d.outputs));
    std::iota(rows.outputs.begin(), rows.outputs.end(), 0u);
    rows.weights.assign(d.weights.begin(), d.weights.end());
    emit(rows);
  };
}

LinearMap average(const model::AveragePool& p, const Shape& in_shape, const Shape& out_shape) {
  return [p, in = Map3(in_shape), out = Map3(out_shape)](const auto& emit) {
    LinearRows rows;
    for (std::int64_t y = 0; y < out.h; ++y)
      for (std::int64_t x = 0; x < out.w; ++x) {
        const auto y0 = y * p.stride_h - p.pad_top, x0 = x * p.stride_w - p.pad_left;
        const auto y_begin = std::max<std::int64_t>(y0, 0), y_end = std::min(y0 + p.kernel_h, in.h);
        const auto x_begin = std::max<std::int64_t>(x0, 0), x_end = std::min(x0 + p.kernel_w, in.w);
        const auto inside = (y_end - y_begin) * (x_end - x_begin);
        if (inside <= 0) continue;
        // Padding counts as zeros, but what lies beyond the padding (a window cut off on the right) does not.
        const auto y_stop = std::min(y0 + p.kernel_h, in.h + p.pad_bottom);
        const auto x_stop = std::min(x0 + p.kernel_w, in.w + p.pad_right);
        const auto divisor = p.count_include_pad ? (y_stop - y0) * (x_stop - x0) : inside;
        for (std::int64_t c = 0; c < in.c; ++c) {
          rows.inputs.clear();
          for (auto iy = y_begin; iy < y_end; ++iy)
            for (auto ix = x_begin; ix < x_end; ++ix) rows.inputs.push_back(in.at(c, iy, ix));
          rows.outputs = {out.at(c, y, x)};
          rows.weights.assign(rows.inputs.size(), 1.0 / static_cast<double>(divisor));
          emit(rows);
        }
      }
  };
}

// out[e] = in[source[e]], or zero where source is kAbsent.
LinearMap gather(std::vector<std::uint32_t> source) {
  return [source = std::move(source)](const auto& emit) {
    LinearRows rows;
    rows.weights = {1.0};
    for (std::uint32_t e = 0; e < source.size(); ++e) {
      if (source[e] == kAbsent) continue;
      rows.inputs = {source[e]};
      rows.outputs = {e};
      emit(rows);
    }
  };
}

LinearMap pad(const model::Pad& p, const Shape& in_shape, const Shape& out_shape) {
  const Map3 in(in_shape), out(out_shape);
  std::vector<std::uint32_t> source(static_cast<std::size_t>(model::element_count(out_shape)), kAbsent);
  for (std::int64_t c = 0; c < in.c; ++c)
    for (std::int64_t y = 0; y < in.h; ++y)
      for (std::int64_t x = 0; x < in.w; ++x) source[out.at(c, y + p.top, x + p.left)] = in.at(c, y, x);
  return gather(std::move(source));
}

LinearMap transpose(const model::Transpose& t, const Shape& in_shape, const Shape& out_shape) {
  const std::size_t rank = in_shape.size();
  std::vector<std::int64_t> stride(rank, 1), index(rank, 0);
  for (std::size_t a = rank - 1; a-- > 0;) stride[a] = stride[a + 1] * in_shape[a + 1];
  std::vector<std::uint32_t> source(static_cast<std::size_t>(model::element_count(out_shape)));
  for (auto& s : source) {
    std::int64_t at = 0;
    for (std::size_t a = 0; a < rank; ++a) at += index[a] * stride[static_cast<std::size_t>(t.axes[a])];
    s = static_cast<std::uint32_t>(at);
    for (std::size_t a = rank; a-- > 0 && ++index[a] == out_shape[a];) index[a] = 0;
  }
  return gather(std::move(source));
}

LinearMap by_rows(const model::Linear& l) {
  return [&l](const auto& emit) {
    LinearRows rows;
    for (std::uint32_t e = 0; e + 1 < l.row_begin.size(); ++e) {
      const auto begin = static_cast<std::ptrdiff_t>(l.row_begin[e]),
                 end = static_cast<std::ptrdiff_t>(l.row_begin[e + 1]);
      if (begin == end) continue;
      rows.inputs.assign(l.columns.begin() + begin, l.columns.begin() + end);
      rows.outputs = {e};
      if (l.weights.empty())
        rows.weights.assign(rows.inputs.size(), 1.0);
      else
        rows.weights.assign(l.weights.begin() + begin, l.weights.begin() + end);
      emit(rows);
    }
  };
}

LinearMap unchanged(const Shape& shape) {
  std::vector<std::uint32_t> source(static_cast<std::size_t>(model::element_count(shape)));
  std::iota(source.begin(), source.end(), 0u);
  return gather(std::move(source));
}

}  // namespace

ElementOrder element_order(const Shape& shape) {
  ElementOrder order;
  order.row_begin.push_back(0);
  const auto count = static_cast<std::uint32_t>(model::element_count(shape));
  if (shape.size() != 3) {
    order.elements.resize(count);
    std::iota(order.elements.begin(), order.elements.end(), 0u);
    order.row_begin.push_back(count);
    return order;
  }
  const Map3 m(shape);
  for (std::int64_t y = 0; y < m.h; ++y) {
    for (std::int64_t x = 0; x < m.w; ++x)
      for (std::int64_t c = 0; c < m.c; ++c) order.elements.push_back(m.at(c, y, x));
    order.row_begin.push_back(static_cast<std::uint32_t>(order.elements.size()));
  }
  return order;
}

std::uint32_t channel_of(const Shape& shape, std::uint32_t element) {
  return shape.size() == 3 ? element / static_cast<std::uint32_t>(shape[1] * shape[2]) : element;
}

LinearMap elementwise(std::vector<double> scale, const Shape& shape) {
  return [scale = std::move(scale), shape](const auto& emit) {
    LinearRows rows;
    for (const auto e : element_order(shape).elements) {
      rows.inputs = rows.outputs = {e};
      rows.weights = {scale[e]};
      emit(rows);
    }
  };
}

LinearMap sum_of_branches(const std::vector<double>& factors, const Shape& shape) {
  return [factors, shape](const auto& emit) {
    const auto count = static_cast<std::uint32_t>(model::element_count(shape));
    LinearRows rows;
    rows.weights = factors;
    for (const auto e : element_order(shape).elements) {
      rows.inputs.clear();
      for (std::uint32_t i = 0; i < factors.size(); ++i) rows.inputs.push_back(i * count + e);
      rows.outputs = {e};
      emit(rows);
    }
  };
}

bool is_linear(const model::Operation& op) {
  return !std::holds_alternative<model::Concat>(op) && !std::holds_alternative<model::Combine>(op) &&
         !std::holds_alternative<model::Multiply>(op) && !std::holds_alternative<model::Quadratic>(op) &&
         !std::holds_alternative<model::Function>(op) && !std::holds_alternative<model::AxisFunction>(op);
}

LinearNode linear_node(const model::Node& node, const Shape& in) {
  using namespace model;
  const Shape& out = node.shape;
  if (const auto* c = std::get_if<Convolution>(&node.op))
    return {convolution(*c, in, out), per_channel(c->bias, out)};
  if (const auto* d = std::get_if<Dense>(&node.op)) return {dense(*d), per_channel(d->bias, out)};
  if (const auto* s = std::get_if<ScaleShift>(&node.op))
    return {elementwise(broadcast(s->scale, out), out), broadcast(s->shift, out)};
  if (const auto* p = std::get_if<AveragePool>(&node.op)) return {average(*p, in, out), {}};
  if (std::holds_alternative<GlobalAveragePool>(node.op)) {
    AveragePool whole;
    whole.kernel_h = in[1];
    whole.kernel_w = in[2];
    return {average(whole, in, out), {}};
  }
  if (const auto* p = std::get_if<Pad>(&node.op)) return {pad(*p, in, out), {}};
  if (const auto* t = std::get_if<Transpose>(&node.op)) return {transpose(*t, in, out), {}};
  if (std::holds_alternative<Reshape>(node.op)) return {unchanged(out), {}};
  if (const auto* l = std::get_if<Linear>(&node.op))
    return {by_rows(*l), std::vector<double>(l->bias.begin(), l->bias.end())};
  fail_user("node '{}' ({}) cannot be planned: it is not a polynomial layer", node.name,
            operation_name(node.op));
}

}  // namespace velum::plan
