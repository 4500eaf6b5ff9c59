#include "train/quadratic_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace velum::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Each thread owns a range of elements and walks over the images, so sums over images need no lock and always
// run in the same order. Short ranges would leave the prefetcher idle.
constexpr std::int64_t kGrain = 64;

struct Extent {
  std::int64_t images, elements;
};

Extent extent_of(const torch::Tensor& x) {
  const auto images = x.size(0);
  return {images, images ? x.numel() / images : 0};
}

float excess(float x, float limit) {
  return std::max(std::abs(x) - limit, 0.0F);
}

struct Peak {
  std::int64_t element = 0;
  float excess = 0;  // 0: the image stays inside
};

// Of each image, where |x| exceeds the limit most.
std::vector<Peak> find_peaks(const float* x, const Extent& extent, float limit) {
  std::vector<Peak> peaks(static_cast<std::size_t>(extent.images));
  const auto elements = extent.elements;
  at::parallel_for(0, extent.images, 1, [&](std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t lanes = 16;
    for (std::int64_t n = begin; n < end; ++n) {
      const float* xn = x + n * elements;
      std::array<float, lanes> largest{};  // side by side, so that the loop is one of vectors
      std::int64_t e = 0;
      for (; e + lanes <= elements; e += lanes)
        for (std::int64_t k = 0; k < lanes; ++k) {
          const float size = std::abs(xn[e + k]);
          auto& most = largest[static_cast<std::size_t>(k)];
          most = size > most ? size : most;
        }
      for (; e < elements; ++e) largest[0] = std::max(largest[0], std::abs(xn[e]));
      const float most = *std::max_element(largest.begin(), largest.end());
      if (!(most > limit)) continue;
      auto& peak = peaks[static_cast<std::size_t>(n)];
      while (std::abs(xn[peak.element]) != most) ++peak.element;
      peak.excess = most - limit;
    }
  });
  return peaks;
}

struct QuadraticFunction : torch::autograd::Function<QuadraticFunction> {
  static variable_list forward(AutogradContext* context, const torch::Tensor& x_in, const torch::Tensor& a_in,
                               const torch::Tensor& b_in, const torch::Tensor& c_in, double limit,
                               double mean, double peak, double share) {
    const auto x = x_in.contiguous(), a = a_in.contiguous(), b = b_in.contiguous(), c = c_in.contiguous();
    const auto [images, elements] = extent_of(x);
    TORCH_CHECK(a.numel() == elements && b.numel() == elements && c.numel() == elements,
                "quadratic: ", elements, " elements an image, but ", a.numel(), " coefficients");
    auto y = torch::empty_like(x);
    const bool held = limit > 0 && mean > 0;
    auto over = torch::zeros({held ? elements : 0}, x.options());
    const float *xp = x.data_ptr<float>(), *ap = a.data_ptr<float>(), *bp = b.data_ptr<float>(),
                *cp = c.data_ptr<float>();
    float *yp = y.data_ptr<float>(), *op = over.data_ptr<float>();
    const auto bound = static_cast<float>(limit), part = static_cast<float>(share);
    const bool mixed = share < 1;
    at::parallel_for(0, elements, kGrain,
                     [&, images = images, elements = elements](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t n = 0; n < images; ++n) {
                         const float* xn = xp + n * elements;
                         float* yn = yp + n * elements;
                         for (std::int64_t e = begin; e < end; ++e)
                           yn[e] = (ap[e] * xn[e] + bp[e]) * xn[e] + cp[e];
                         if (mixed)
                           for (std::int64_t e = begin; e < end; ++e)
                             yn[e] = part * yn[e] + (1.0F - part) * std::max(xn[e], 0.0F);
                         if (held)
                           for (std::int64_t e = begin; e < end; ++e) {
                             const float d = excess(xn[e], bound);
                             op[e] += d * d;
                           }
                       }
                     });
    context->save_for_backward({x, a, b});
    context->saved_data["limit"] = limit;
    context->saved_data["share"] = share;
    context->saved_data["mean"] = mean;
    context->saved_data["peak"] = peak;
    auto penalty = torch::zeros({}, x.options());
    if (held) penalty += over.sum() * (mean / static_cast<double>(images * elements));
    if (limit > 0 && peak > 0) {
      double sum = 0;
      for (const auto& p : find_peaks(xp, {images, elements}, bound))
        sum += static_cast<double>(p.excess) * static_cast<double>(p.excess);
      penalty += peak * sum / static_cast<double>(images);
    }
    return {y, penalty};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &a = saved[1], &b = saved[2];
    const double limit = context->saved_data["limit"].toDouble();
    const auto part = static_cast<float>(context->saved_data["share"].toDouble());
    const bool mixed = part < 1;
    const auto [images, elements] = extent_of(x);
    const auto g = grads[0].defined() ? grads[0].contiguous() : torch::zeros_like(x);
    auto gx = torch::empty_like(x);
    auto ga = torch::zeros_like(a), gb = torch::zeros_like(a), gc = torch::zeros_like(a);
    const float *xp = x.data_ptr<float>(), *ap = a.data_ptr<float>(), *bp = b.data_ptr<float>(),
                *gp = g.data_ptr<float>();
    float *gxp = gx.data_ptr<float>(), *gap = ga.data_ptr<float>(), *gbp = gb.data_ptr<float>(),
          *gcp = gc.data_ptr<float>();
    const auto bound = static_cast<float>(limit);
    const double mean = context->saved_data["mean"].toDouble(), peak = context->saved_data["peak"].toDouble();
    const double slope = limit > 0 && grads[1].defined() ? 2 * grads[1].item<double>() : 0;
    const bool pulled = slope != 0 && mean > 0;
    const auto pull = static_cast<float>(slope * mean / static_cast<double>(images * elements));
    at::parallel_for(0, elements, kGrain,
                     [&, images = images, elements = elements](std::int64_t begin, std::int64_t end) {
                       for (std::int64_t n = 0; n < images; ++n) {
                         const float *xn = xp + n * elements, *gn = gp + n * elements;
                         float* gxn = gxp + n * elements;
                         for (std::int64_t e = begin; e < end; ++e) {
                           const float g_e = part * gn[e], gx_e = g_e * xn[e];
                           gxn[e] = 2.0F * ap[e] * gx_e + bp[e] * g_e;
                           gap[e] += gx_e * xn[e];
                           gbp[e] += gx_e;
                           gcp[e] += g_e;
                         }
                         if (mixed)
                           for (std::int64_t e = begin; e < end; ++e)
                             gxn[e] += xn[e] > 0 ? (1.0F - part) * gn[e] : 0.0F;
                         if (pulled)
                           for (std::int64_t e = begin; e < end; ++e)
                             gxn[e] += pull * std::copysign(excess(xn[e], bound), xn[e]);
                       }
                     });
    if (slope != 0 && peak > 0) {
      const auto peaks = find_peaks(xp, {images, elements}, bound);
      const auto factor = static_cast<float>(slope * peak / static_cast<double>(images));
      for (std::int64_t n = 0; n < images; ++n)
        if (const auto& p = peaks[static_cast<std::size_t>(n)]; p.excess > 0)
          gxp[n * elements + p.element] += factor * std::copysign(p.excess, xp[n * elements + p.element]);
    }
    const torch::Tensor none;
    return {gx, ga, gb, gc, none, none, none, none};
  }
};

}  // namespace

ActivationResult quadratic(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                           const torch::Tensor& c, const RangePull& pull, double share) {
  if (!x.device().is_cpu()) return quadratic_plainly(x, a, b, c, pull, share);
  const double limit = pull ? pull.limit : 0;
  auto out = QuadraticFunction::apply(x, a, b, c, limit, pull.mean, pull.peak, share);
  return {out[0], pull ? out[1] : torch::Tensor()};
}

ActivationResult quadratic_plainly(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                                   const torch::Tensor& c, const RangePull& pull, double share) {
  const auto flat = x.flatten(1);
  auto y = (a * flat + b) * flat + c;
  if (share < 1) y = share * y + (1 - share) * torch::relu(flat);
  ActivationResult out{y.reshape(x.sizes()), {}};
  if (pull) {
    const auto excess = torch::relu(flat.abs() - pull.limit);
    out.penalty = pull.mean * excess.square().mean() + pull.peak * excess.amax(1).square().mean();
  }
  return out;
}

}  // namespace velum::train
