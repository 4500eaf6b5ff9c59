// The inner loops of the layers that torch's own operations leave slow on a CPU, over plain arrays, compiled
// for several processors; choose.h gives the table of the best that this one runs.
//
// All of them belong to one thread each; results do not depend on how the work was divided. Variants differ
// in the order of sums only.
#pragma once

#include <cstdint>

namespace velum::train {

// y = share (a x^2 + b x + c) + (1 - share) max(x, 0), x and y: [images, elements], a, b, c: [elements].
struct QuadraticValues {
  const float *x, *a, *b, *c;
  float* y;
  float* over;  // [elements], grows by the sum over images of max(|x| - limit, 0)^2; null: not wanted
  std::int64_t images, elements;
  float share, limit;
};

// The gradients; ga, gb and gc grow, gx is written. pull * sign(x) max(|x| - limit, 0) is added to gx.
struct QuadraticGradients {
  const float *x, *a, *b, *gy;
  float *gx, *ga, *gb, *gc;
  std::int64_t images, elements;
  float share, limit, pull;
};

// Average pooling of planes of h x w into planes of out_h x out_w, without padding.
struct Window {
  std::int64_t kernel_h, kernel_w, stride_h, stride_w;
};
struct PoolPlane {
  std::int64_t h, w, out_h, out_w;
  Window window;
};

// Batch normalisation of x: [images, channels, plane] by the statistics of the batch, channel by channel.
struct NormValues {
  const float *x, *gamma, *beta;
  float* y;
  std::int64_t images, channels, plane;
  double epsilon;
};
struct NormStatistics {
  double mean, variance;  // of a channel; the variance divides by the count
};
struct NormGradients {
  const float *x, *gy, *gamma, *mean, *inverse_deviation;  // the latter three: [channels]
  float *gx, *ggamma, *gbeta;                              // ggamma, gbeta: [channels], written
  std::int64_t images, channels, plane;
};

struct Loops {
  const char* name;
  // Elements begin to end of every image.
  void (*quadratic)(const QuadraticValues& v, std::int64_t begin, std::int64_t end);
  void (*quadratic_backward)(const QuadraticGradients& v, std::int64_t begin, std::int64_t end);
  // The largest |x[i]|; NaN counts as nothing.
  float (*largest)(const float* x, std::int64_t count);
  // row: w floats of the caller's. spread adds to gx.
  void (*pool)(const float* x, float* y, const PoolPlane& p, float* row);
  void (*spread)(const float* gy, float* gx, const PoolPlane& p, float* row);
  NormStatistics (*norm)(const NormValues& v, std::int64_t channel);
  void (*norm_backward)(const NormGradients& v, std::int64_t channel);
};

extern const Loops kRefLoops, kAvx2Loops, kAvx512Loops;  // the latter two on x86-64 only

}  // namespace velum::train
