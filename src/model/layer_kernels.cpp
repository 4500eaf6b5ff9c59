#include "model/layer_kernels.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "model/function_kernels.h"

namespace velum::model {

namespace {

constexpr std::size_t output_block =
    4;  // outputs computed together: with lane_block, what fits in 16 registers

// Two doubles: every x86-64 and AArch64 has registers of this width.
typedef double Pair __attribute__((vector_size(16), aligned(8)));

std::size_t size(std::int64_t n) {
  return static_cast<std::size_t>(n);
}

// The weights of a layer's rows, packed [block of outputs][tap][output in block] so that the kernel reads
// them in order. Rows beyond the last are zero.
struct PackedRows {
  std::size_t rows = 0, taps = 0;
  std::vector<double> weights;
  std::vector<double> bias;  // [rows], padded to a whole block

  PackedRows(const float* w, const float* b, std::size_t row_count, std::size_t tap_count)
      : rows(row_count),
        taps(tap_count),
        weights((rows + output_block - 1) / output_block * taps * output_block),
        bias((rows + output_block - 1) / output_block * output_block) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t t = 0; t < taps; ++t)
        weights[(r / output_block * taps + t) * output_block + r % output_block] =
            static_cast<double>(w[r * taps + t]);
      if (b) bias[r] = static_cast<double>(b[r]);
    }
  }
};

struct Tap {
  const double* x;    // lanes of the input element
  std::size_t index;  // which column of the weights
};

// out(row) = bias(row) + sum over taps of w(row, tap) x(tap), for every row and lane. Row r goes to out + r *
// stride.
void multiply_rows(const PackedRows& p, std::span<const Tap> taps, double* out, std::size_t stride,
                   std::size_t lanes) {
  for (std::size_t r0 = 0; r0 < p.rows; r0 += output_block) {
    const double* w = p.weights.data() + r0 * p.taps;
    const std::size_t here = std::min(output_block, p.rows - r0);
    for (std::size_t l = 0; l < lanes; l += lane_block) {
      Pair sum[output_block][2];
      for (std::size_t r = 0; r < output_block; ++r)
        sum[r][0] = sum[r][1] = Pair{p.bias[r0 + r], p.bias[r0 + r]};
      for (const Tap& t : taps) {
        const auto* x = reinterpret_cast<const Pair*>(t.x + l);
        const Pair x0 = x[0], x1 = x[1];
        const double* c = w + t.index * output_block;
#pragma GCC unroll 4
        for (std::size_t r = 0; r < output_block; ++r) {
          const Pair weight{c[r], c[r]};
          sum[r][0] += weight * x0;
          sum[r][1] += weight * x1;
        }
      }
      for (std::size_t r = 0; r < here; ++r) std::memcpy(out + (r0 + r) * stride + l, sum[r], sizeof sum[r]);
    }
  }
}

// The part of a window that lies inside the input: kernel positions [first, last) of the window that starts
// at `start` (which may be negative).
struct Inside {
  std::int64_t first, last;
};
Inside inside(std::int64_t start, std::int64_t kernel, std::int64_t dilation, std::int64_t extent) {
  const std::int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
  const std::int64_t last = start >= extent ? 0 : std::min(kernel, (extent - 1 - start) / dilation + 1);
  return {std::min(first, kernel), std::max(last, std::min(first, kernel))};
}

LayerKernel prepare(const Convolution& c, const Shape& in, const Shape& out) {
  const std::int64_t channels = in[0] / c.groups, rows = c.outputs / c.groups;
  const std::size_t taps = size(channels * c.kernel_h * c.kernel_w);
  std::vector<PackedRows> groups;
  for (std::int64_t g = 0; g < c.groups; ++g)
    groups.emplace_back(c.weights.data() + size(g * rows) * taps,
                        c.bias.empty() ? nullptr : c.bias.data() + g * rows, size(rows), taps);
  Convolution geometry = c;
  geometry.weights.clear();
  geometry.bias.clear();
  return [=, conv = std::move(geometry), groups = std::move(groups)](std::span<const double* const> inputs,
                                                                     double* y, std::size_t lanes) {
    std::vector<Tap> list;
    list.reserve(taps);
    const std::int64_t h = in[1], w = in[2], positions = out[1] * out[2];
    for (std::int64_t g = 0; g < conv.groups; ++g)
      for (std::int64_t oy = 0; oy < out[1]; ++oy)
        for (std::int64_t ox = 0; ox < out[2]; ++ox) {
          const std::int64_t y0 = oy * conv.stride_h - conv.pad_top, x0 = ox * conv.stride_w - conv.pad_left;
          const Inside v = inside(y0, conv.kernel_h, conv.dilation_h, h);
          const Inside u = inside(x0, conv.kernel_w, conv.dilation_w, w);
          list.clear();
          for (std::int64_t i = 0; i < channels; ++i)
            for (std::int64_t ky = v.first; ky < v.last; ++ky)
              for (std::int64_t kx = u.first; kx < u.last; ++kx) {
                const std::int64_t element =
                    ((g * channels + i) * h + y0 + ky * conv.dilation_h) * w + x0 + kx * conv.dilation_w;
                list.push_back(
                    {inputs[0] + size(element) * lanes, size((i * conv.kernel_h + ky) * conv.kernel_w + kx)});
              }
          multiply_rows(groups[size(g)], list, y + size(g * rows * positions + oy * out[2] + ox) * lanes,
                        size(positions) * lanes, lanes);
        }
  };
}

LayerKernel prepare(const Dense& d, const Shape& in, const Shape&) {
  const auto taps = size(in[0]);
  return
      [taps, packed = PackedRows(d.weights.data(), d.bias.empty() ? nullptr : d.bias.data(), size(d.outputs),
                                 taps)](std::span<const double* const> inputs, double* y, std::size_t lanes) {
        std::vector<Tap> list(taps);
        for (std::size_t t = 0; t < taps; ++t) list[t] = {inputs[0] + t * lanes, t};
        multiply_rows(packed, list, y, lanes, lanes);
      };
}

// Elementwise layers: f(element, x) per lane.
template <typename F>
LayerKernel elementwise(std::size_t elements, F f) {
  return [elements, f = std::move(f)](std::span<const double* const> inputs, double* y, std::size_t lanes) {
    for (std::size_t e = 0; e < elements; ++e)
      for (std::size_t l = 0; l < lanes; ++l) y[e * lanes + l] = f(e, inputs[0][e * lanes + l]);
  };
}

LayerKernel prepare(const ScaleShift& s, const Shape& in, const Shape&) {
  return elementwise(size(element_count(in)), [a = broadcast(s.scale, in), b = broadcast(s.shift, in)](
                                                  std::size_t e, double x) { return a[e] * x + b[e]; });
}

LayerKernel prepare(const Quadratic& q, const Shape& in, const Shape&) {
  return elementwise(size(element_count(in)),
                     [a = broadcast(q.a, in), b = broadcast(q.b, in), c = broadcast(q.c, in)](
                         std::size_t e, double x) { return (a[e] * x + b[e]) * x + c[e]; });
}

LayerKernel prepare(const Relu&, const Shape& in, const Shape&) {
  return elementwise(size(element_count(in)), [](std::size_t, double x) { return x > 0 ? x : 0.0; });
}

// Pools: start from `first`, reduce(accumulator, x) over the window, finish(accumulator, elements inside).
template <typename Reduce, typename Finish>
LayerKernel pool(const AveragePool& p, const Shape& in, const Shape& out, double first, Reduce reduce,
                 Finish finish) {
  return [=](std::span<const double* const> inputs, double* y, std::size_t lanes) {
    double sum[max_lanes];
    for (std::int64_t c = 0; c < in[0]; ++c)
      for (std::int64_t oy = 0; oy < out[1]; ++oy)
        for (std::int64_t ox = 0; ox < out[2]; ++ox) {
          const std::int64_t y0 = oy * p.stride_h - p.pad_top, x0 = ox * p.stride_w - p.pad_left;
          const Inside v = inside(y0, p.kernel_h, 1, in[1]), u = inside(x0, p.kernel_w, 1, in[2]);
          std::fill_n(sum, lanes, first);
          for (std::int64_t ky = v.first; ky < v.last; ++ky)
            for (std::int64_t kx = u.first; kx < u.last; ++kx) {
              const double* x = inputs[0] + size((c * in[1] + y0 + ky) * in[2] + x0 + kx) * lanes;
              for (std::size_t l = 0; l < lanes; ++l) sum[l] = reduce(sum[l], x[l]);
            }
          double* to = y + size((c * out[1] + oy) * out[2] + ox) * lanes;
          const double count = static_cast<double>((v.last - v.first) * (u.last - u.first));
          for (std::size_t l = 0; l < lanes; ++l) to[l] = finish(sum[l], count);
        }
  };
}

LayerKernel prepare(const AveragePool& p, const Shape& in, const Shape& out) {
  const double whole = static_cast<double>(p.kernel_h * p.kernel_w);
  const auto add = [](double s, double x) { return s + x; };
  if (p.count_include_pad) return pool(p, in, out, 0, add, [whole](double s, double) { return s / whole; });
  return pool(p, in, out, 0, add, [](double s, double count) { return s / count; });
}

LayerKernel prepare(const MaxPool& p, const Shape& in, const Shape& out) {
  return pool(
      p.window, in, out, -std::numeric_limits<double>::infinity(),
      [](double s, double x) { return std::max(s, x); }, [](double s, double) { return s; });
}

LayerKernel prepare(const GlobalAveragePool&, const Shape& in, const Shape& out) {
  AveragePool p;
  p.kernel_h = in[1];
  p.kernel_w = in[2];
  return prepare(p, in, out);
}

// Layers that only move elements: from[e] is the input element that goes to e, or -1 for zero.
LayerKernel gather(std::vector<std::int64_t> from) {
  return [from = std::move(from)](std::span<const double* const> inputs, double* y, std::size_t lanes) {
    for (std::size_t e = 0; e < from.size(); ++e)
      if (from[e] < 0)
        std::fill_n(y + e * lanes, lanes, 0.0);
      else
        std::copy_n(inputs[0] + size(from[e]) * lanes, lanes, y + e * lanes);
  };
}

LayerKernel prepare(const Pad& p, const Shape& in, const Shape& out) {
  std::vector<std::int64_t> from(size(element_count(out)), -1);
  for (std::int64_t c = 0; c < in[0]; ++c)
    for (std::int64_t y = 0; y < in[1]; ++y)
      for (std::int64_t x = 0; x < in[2]; ++x)
        from[size((c * out[1] + y + p.top) * out[2] + x + p.left)] = (c * in[1] + y) * in[2] + x;
  return gather(std::move(from));
}

LayerKernel prepare(const Reshape&, const Shape& in, const Shape&) {
  const auto n = size(element_count(in));
  return [n](std::span<const double* const> inputs, double* y, std::size_t lanes) {
    std::copy_n(inputs[0], n * lanes, y);
  };
}

LayerKernel prepare(const Transpose& t, const Shape& in, const Shape& out) {
  std::vector<std::int64_t> in_stride(in.size(), 1);
  for (std::size_t i = in.size(); i-- > 1;) in_stride[i - 1] = in_stride[i] * in[i];
  std::vector<std::int64_t> from(size(element_count(out)));
  std::vector<std::int64_t> index(out.size(), 0);
  for (auto& f : from) {
    f = 0;
    for (std::size_t i = 0; i < out.size(); ++i)
      f += index[i] * in_stride[static_cast<std::size_t>(t.axes[i])];
    for (std::size_t i = out.size(); i-- > 0;) {
      if (++index[i] < out[i]) break;
      index[i] = 0;
    }
  }
  return gather(std::move(from));
}

LayerKernel prepare(const Linear& linear, const Shape&, const Shape&) {
  return [l = linear](std::span<const double* const> inputs, double* y, std::size_t lanes) {
    for (std::size_t e = 0; e + 1 < l.row_begin.size(); ++e) {
      double* out = y + e * lanes;
      std::fill_n(out, lanes, l.bias.empty() ? 0.0 : static_cast<double>(l.bias[e]));
      for (std::size_t k = l.row_begin[e]; k < l.row_begin[e + 1]; ++k) {
        const double* x = inputs[0] + l.columns[k] * lanes;
        const double w = l.weights.empty() ? 1.0 : static_cast<double>(l.weights[k]);
        for (std::size_t i = 0; i < lanes; ++i) out[i] += w * x[i];
      }
    }
  };
}

LayerKernel prepare_concat(const std::vector<Shape>& inputs) {
  std::vector<std::size_t> sizes;
  sizes.reserve(inputs.size());
  for (const auto& s : inputs) sizes.push_back(size(element_count(s)));
  return [sizes](std::span<const double* const> in, double* y, std::size_t lanes) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      std::copy_n(in[i], sizes[i] * lanes, y);
      y += sizes[i] * lanes;
    }
  };
}

LayerKernel prepare_combine(const Combine& c, const Shape& shape) {
  return [n = size(element_count(shape)), factors = c.factors](std::span<const double* const> in, double* y,
                                                               std::size_t lanes) {
    std::fill_n(y, n * lanes, 0.0);
    for (std::size_t i = 0; i < in.size(); ++i)
      for (std::size_t e = 0; e < n * lanes; ++e) y[e] += factors[i] * in[i][e];
  };
}

LayerKernel prepare_multiply(const Shape& shape) {
  return [n = size(element_count(shape))](std::span<const double* const> in, double* y, std::size_t lanes) {
    for (std::size_t e = 0; e < n * lanes; ++e) y[e] = in[0][e] * in[1][e];
  };
}

}  // namespace

LayerKernel prepare_layer(const Node& node, const std::vector<Shape>& inputs) {
  return std::visit(
      [&](const auto& op) -> LayerKernel {
        using T = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<T, Concat>)
          return prepare_concat(inputs);
        else if constexpr (std::is_same_v<T, Combine>)
          return prepare_combine(op, node.shape);
        else if constexpr (std::is_same_v<T, Multiply>)
          return prepare_multiply(node.shape);
        else if constexpr (std::is_same_v<T, Function>)
          return prepare_function(op, inputs.size(), node.shape);
        else if constexpr (std::is_same_v<T, AxisFunction>)
          return prepare_axis_function(op, inputs[0]);
        else if constexpr (std::is_same_v<T, Unsupported>)
          fail_user("node '{}' is {}, which Velum does not execute", node.name, op.op);
        else
          return prepare(op, inputs[0], node.shape);
      },
      node.op);
}

}  // namespace velum::model
