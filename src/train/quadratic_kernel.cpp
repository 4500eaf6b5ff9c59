#include "train/quadratic_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

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

struct QuadraticFunction : torch::autograd::Function<QuadraticFunction> {
  static variable_list forward(AutogradContext* context, const torch::Tensor& x_in, const torch::Tensor& a_in,
                               const torch::Tensor& b_in, const torch::Tensor& c_in, double limit,
                               double share) {
    const auto x = x_in.contiguous(), a = a_in.contiguous(), b = b_in.contiguous(), c = c_in.contiguous();
    const auto [images, elements] = extent_of(x);
    TORCH_CHECK(a.numel() == elements && b.numel() == elements && c.numel() == elements,
                "quadratic: ", elements, " elements an image, but ", a.numel(), " coefficients");
    auto y = torch::empty_like(x);
    auto over = torch::zeros({limit > 0 ? elements : 0}, x.options());
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
                         if (limit > 0)
                           for (std::int64_t e = begin; e < end; ++e) {
                             const float d = excess(xn[e], bound);
                             op[e] += d * d;
                           }
                       }
                     });
    context->save_for_backward({x, a, b});
    context->saved_data["limit"] = limit;
    context->saved_data["share"] = share;
    const auto penalty =
        limit > 0 ? over.sum() / static_cast<double>(images * elements) : torch::zeros({}, x.options());
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
    const bool pulled = limit > 0 && grads[1].defined();
    const float pull = pulled ? 2.0F * grads[1].item<float>() / static_cast<float>(images * elements) : 0.0F;
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
    return {gx, ga, gb, gc, torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

ActivationResult quadratic(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                           const torch::Tensor& c, double limit, double share) {
  if (!x.device().is_cpu()) return quadratic_plainly(x, a, b, c, limit, share);
  auto out = QuadraticFunction::apply(x, a, b, c, limit, share);
  return {out[0], limit > 0 ? out[1] : torch::Tensor()};
}

ActivationResult quadratic_plainly(const torch::Tensor& x, const torch::Tensor& a, const torch::Tensor& b,
                                   const torch::Tensor& c, double limit, double share) {
  const auto flat = x.flatten(1);
  auto y = (a * flat + b) * flat + c;
  if (share < 1) y = share * y + (1 - share) * torch::relu(flat);
  ActivationResult out{y.reshape(x.sizes()), {}};
  if (limit > 0) out.penalty = torch::relu(flat.abs() - limit).square().mean();
  return out;
}

}  // namespace velum::train
