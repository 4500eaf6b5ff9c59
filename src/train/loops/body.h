// The loops themselves, in terms of the compiler's own vectors. Every variant includes this file in a source
// that is compiled for its processor. Nothing inline of a library may stand here: the linker would keep one
// copy of it, perhaps that of a processor which this one is not.
#pragma once

#include "train/loops/loops.h"

namespace velum::train {
namespace {

float larger(float a, float b) {
  return a > b ? a : b;
}

float excess(float x, float limit) {
  return larger(__builtin_fabsf(x) - limit, 0.0F);
}

void quadratic(const QuadraticValues& v, std::int64_t begin, std::int64_t end) {
  const float *a = v.a, *b = v.b, *c = v.c;
  const float share = v.share, rest = 1.0F - v.share, limit = v.limit;
  for (std::int64_t n = 0; n < v.images; ++n) {
    const float* x = v.x + n * v.elements;
    float* __restrict y = v.y + n * v.elements;
    if (share < 1.0F)
      for (std::int64_t e = begin; e < end; ++e)
        y[e] = share * ((a[e] * x[e] + b[e]) * x[e] + c[e]) + rest * larger(x[e], 0.0F);
    else
      for (std::int64_t e = begin; e < end; ++e) y[e] = (a[e] * x[e] + b[e]) * x[e] + c[e];
    if (float* __restrict over = v.over)
      for (std::int64_t e = begin; e < end; ++e) {
        const float d = excess(x[e], limit);
        over[e] += d * d;
      }
  }
}

void quadratic_backward(const QuadraticGradients& v, std::int64_t begin, std::int64_t end) {
  const float *a = v.a, *b = v.b;
  float* __restrict ga = v.ga, * __restrict gb = v.gb, * __restrict gc = v.gc;
  const float share = v.share, rest = 1.0F - v.share, limit = v.limit, pull = v.pull;
  for (std::int64_t n = 0; n < v.images; ++n) {
    const float *x = v.x + n * v.elements, *gy = v.gy + n * v.elements;
    float* __restrict gx = v.gx + n * v.elements;
    for (std::int64_t e = begin; e < end; ++e) {
      const float g = share * gy[e], g_x = g * x[e];
      gx[e] = 2.0F * a[e] * g_x + b[e] * g;
      ga[e] += g_x * x[e];
      gb[e] += g_x;
      gc[e] += g;
    }
    if (share < 1.0F)
      for (std::int64_t e = begin; e < end; ++e) gx[e] += x[e] > 0.0F ? rest * gy[e] : 0.0F;
    if (pull != 0.0F)
      for (std::int64_t e = begin; e < end; ++e)
        gx[e] += pull * __builtin_copysignf(excess(x[e], limit), x[e]);
  }
}

float largest(const float* x, std::int64_t count) {
  // Side by side: the compiler keeps the order of comparisons, for the sake of NaN, and makes no vectors of
  // one.
  constexpr std::int64_t lanes = 64;
  float most[lanes] = {};
  const std::int64_t whole = count - count % lanes;
  for (std::int64_t i = 0; i < whole; i += lanes)
    for (std::int64_t k = 0; k < lanes; ++k) {
      const float size = __builtin_fabsf(x[i + k]);
      most[k] = size > most[k] ? size : most[k];
    }
  for (std::int64_t i = whole; i < count; ++i) most[0] = larger(__builtin_fabsf(x[i]), most[0]);
  for (std::int64_t k = 1; k < lanes; ++k) most[0] = larger(most[k], most[0]);
  return most[0];
}

// out[ox] = share * (sum of row over the window at ox), with the window's width and step known to the
// compiler.
template <std::int64_t kKernel, std::int64_t kStride>
void pool_row(const float* row, float* __restrict out, std::int64_t out_w, float share) {
  for (std::int64_t ox = 0; ox < out_w; ++ox) {
    float sum = row[ox * kStride];
    for (std::int64_t kx = 1; kx < kKernel; ++kx) sum += row[ox * kStride + kx];
    out[ox] = share * sum;
  }
}

void pool_row(const float* row, float* out, const PoolPlane& p, float share) {
  const auto kernel = p.window.kernel_w, stride = p.window.stride_w;
  if (kernel == 2 && stride == 2) return pool_row<2, 2>(row, out, p.out_w, share);
  if (kernel == 3 && stride == 2) return pool_row<3, 2>(row, out, p.out_w, share);
  for (std::int64_t ox = 0; ox < p.out_w; ++ox) {
    float sum = row[ox * stride];
    for (std::int64_t kx = 1; kx < kernel; ++kx) sum += row[ox * stride + kx];
    out[ox] = share * sum;
  }
}

// Rows of a window are added up first, side by side; then columns.
void pool(const float* x, float* y, const PoolPlane& p, float* row) {
  const auto& k = p.window;
  const float share = 1.0F / static_cast<float>(k.kernel_h * k.kernel_w);
  float* __restrict sums = row;
  for (std::int64_t oy = 0; oy < p.out_h; ++oy) {
    const float* top = x + oy * k.stride_h * p.w;
    for (std::int64_t i = 0; i < p.w; ++i) sums[i] = top[i];
    for (std::int64_t ky = 1; ky < k.kernel_h; ++ky)
      for (std::int64_t i = 0; i < p.w; ++i) sums[i] += top[ky * p.w + i];
    pool_row(row, y + oy * p.out_w, p, share);
  }
}

// row = what the columns of a row of the input receive of in[0..out_w).
void spread_row(const float* in, float* __restrict row, const PoolPlane& p, float share) {
  const auto kernel = p.window.kernel_w, stride = p.window.stride_w;
  for (std::int64_t i = 0; i < p.w; ++i) row[i] = 0.0F;
  if (kernel == 2 && stride == 2) {
    for (std::int64_t ox = 0; ox < p.out_w; ++ox) row[2 * ox] = row[2 * ox + 1] = share * in[ox];
  } else if (kernel == 3 && stride == 2) {  // the last column of a window is the first of the next
    row[0] = share * in[0];
    const std::int64_t last = p.out_w - 1;
    for (std::int64_t ox = 0; ox < last; ++ox) {
      row[2 * ox + 1] = share * in[ox];
      row[2 * ox + 2] = share * (in[ox] + in[ox + 1]);
    }
    row[2 * last + 1] = row[2 * last + 2] = share * in[last];
  } else {
    for (std::int64_t ox = 0; ox < p.out_w; ++ox)
      for (std::int64_t kx = 0; kx < kernel; ++kx) row[ox * stride + kx] += share * in[ox];
  }
}

// The transpose of pool: a pooled gradient spreads over its columns, then over its rows.
void spread(const float* gy, float* gx, const PoolPlane& p, float* row) {
  const auto& k = p.window;
  const float share = 1.0F / static_cast<float>(k.kernel_h * k.kernel_w);
  for (std::int64_t oy = 0; oy < p.out_h; ++oy) {
    spread_row(gy + oy * p.out_w, row, p, share);
    float* __restrict top = gx + oy * k.stride_h * p.w;
    for (std::int64_t ky = 0; ky < k.kernel_h; ++ky)
      for (std::int64_t i = 0; i < p.w; ++i) top[ky * p.w + i] += row[i];
  }
}

// Three walks over a channel, which stays in the cache meanwhile: its mean, its variance, its values. Sums
// over a plane are float, sums of planes double.
NormStatistics norm(const NormValues& v, std::int64_t channel) {
  const double count = static_cast<double>(v.images * v.plane);
  const auto offset = [&](std::int64_t n) { return (n * v.channels + channel) * v.plane; };
  double total = 0;
  for (std::int64_t n = 0; n < v.images; ++n) {
    const float* x = v.x + offset(n);
    float sum = 0;
    for (std::int64_t i = 0; i < v.plane; ++i) sum += x[i];
    total += static_cast<double>(sum);
  }
  const double mean = total / count;
  const auto centre = static_cast<float>(mean);
  double squares = 0;
  for (std::int64_t n = 0; n < v.images; ++n) {
    const float* x = v.x + offset(n);
    float sum = 0;
    for (std::int64_t i = 0; i < v.plane; ++i) sum += (x[i] - centre) * (x[i] - centre);
    squares += static_cast<double>(sum);
  }
  const double variance = squares / count;
  const float scale = v.gamma[channel] * static_cast<float>(1 / __builtin_sqrt(variance + v.epsilon));
  const float shift = v.beta[channel];
  for (std::int64_t n = 0; n < v.images; ++n) {
    const float* x = v.x + offset(n);
    float* __restrict y = v.y + offset(n);
    for (std::int64_t i = 0; i < v.plane; ++i) y[i] = scale * (x[i] - centre) + shift;
  }
  return {mean, variance};
}

// With d = x - mean, r = 1 / deviation and means over the m values of a channel,
//   ggamma = r sum(gy d),  gbeta = sum(gy),  gx = gamma r (gy - mean(gy) - d r^2 mean(gy d))
void norm_backward(const NormGradients& v, std::int64_t channel) {
  const double count = static_cast<double>(v.images * v.plane);
  const auto offset = [&](std::int64_t n) { return (n * v.channels + channel) * v.plane; };
  const float mean = v.mean[channel], r = v.inverse_deviation[channel];
  double all = 0, along = 0;
  for (std::int64_t n = 0; n < v.images; ++n) {
    const float *x = v.x + offset(n), *gy = v.gy + offset(n);
    float sum = 0, product = 0;
    for (std::int64_t i = 0; i < v.plane; ++i) {
      sum += gy[i];
      product += gy[i] * (x[i] - mean);
    }
    all += static_cast<double>(sum);
    along += static_cast<double>(product);
  }
  v.ggamma[channel] = r * static_cast<float>(along);
  v.gbeta[channel] = static_cast<float>(all);
  const float scale = v.gamma[channel] * r;
  const auto level = static_cast<float>(all / count), slope = r * r * static_cast<float>(along / count);
  for (std::int64_t n = 0; n < v.images; ++n) {
    const float *x = v.x + offset(n), *gy = v.gy + offset(n);
    float* __restrict gx = v.gx + offset(n);
    for (std::int64_t i = 0; i < v.plane; ++i) gx[i] = scale * (gy[i] - level - slope * (x[i] - mean));
  }
}

constexpr Loops table_of(const char* name) {
  return {name, quadratic, quadratic_backward, largest, pool, spread, norm, norm_backward};
}

}  // namespace
}  // namespace velum::train
