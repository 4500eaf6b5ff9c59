#include "train/quadratic_kernel.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "train/loops/choose.h"

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

// Of each image the largest |x|: [images].
torch::Tensor find_largest(const torch::Tensor& x) {
  const auto [images, elements] = extent_of(x);
  auto out = torch::empty({images}, x.options());
  const float* from = x.data_ptr<float>();
  float* to = out.data_ptr<float>();
  at::parallel_for(0, images, 1, [&, elements = elements](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) to[n] = loops().largest(from + n * elements, elements);
  });
  return out;
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
    const QuadraticValues v{x.data_ptr<float>(),
                            a.data_ptr<float>(),
                            b.data_ptr<float>(),
                            c.data_ptr<float>(),
                            y.data_ptr<float>(),
                            held ? over.data_ptr<float>() : nullptr,
                            images,
                            elements,
                            static_cast<float>(share),
                            static_cast<float>(limit)};
    at::parallel_for(0, elements, kGrain,
                     [&](std::int64_t begin, std::int64_t end) { loops().quadratic(v, begin, end); });
    context->saved_data["limit"] = limit;
    context->saved_data["share"] = share;
    context->saved_data["mean"] = mean;
    context->saved_data["peak"] = peak;
    auto penalty = torch::zeros({}, x.options());
    if (held) penalty += over.sum() * (mean / static_cast<double>(images * elements));
    torch::Tensor largest;
    if (limit > 0 && peak > 0) {
      largest = find_largest(x);
      penalty += torch::relu(largest - limit).square().sum() * (peak / static_cast<double>(images));
    }
    context->save_for_backward({x, a, b, largest});
    return {y, penalty};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &a = saved[1], &b = saved[2];
    const double limit = context->saved_data["limit"].toDouble();
    const double share = context->saved_data["share"].toDouble();
    const auto [images, elements] = extent_of(x);
    const auto g = grads[0].defined() ? grads[0].contiguous() : torch::zeros_like(x);
    auto gx = torch::empty_like(x);
    auto ga = torch::zeros_like(a), gb = torch::zeros_like(a), gc = torch::zeros_like(a);
    const double mean = context->saved_data["mean"].toDouble(), peak = context->saved_data["peak"].toDouble();
    const double slope = limit > 0 && grads[1].defined() ? 2 * grads[1].item<double>() : 0;
    const double pull = mean > 0 ? slope * mean / static_cast<double>(images * elements) : 0;
    const QuadraticGradients v{x.data_ptr<float>(),
                               a.data_ptr<float>(),
                               b.data_ptr<float>(),
                               g.data_ptr<float>(),
                               gx.data_ptr<float>(),
                               ga.data_ptr<float>(),
                               gb.data_ptr<float>(),
                               gc.data_ptr<float>(),
                               images,
                               elements,
                               static_cast<float>(share),
                               static_cast<float>(limit),
                               static_cast<float>(pull)};
    at::parallel_for(0, elements, kGrain, [&](std::int64_t begin, std::int64_t end) {
      loops().quadratic_backward(v, begin, end);
    });
    if (slope != 0 && peak > 0) {
      const float* largest = saved[3].data_ptr<float>();
      const auto factor = static_cast<float>(slope * peak / static_cast<double>(images));
      for (std::int64_t n = 0; n < images; ++n) {
        if (!(largest[n] > v.limit)) continue;
        const float* xn = v.x + n * elements;
        std::int64_t e = 0;
        while (std::abs(xn[e]) != largest[n]) ++e;
        v.gx[n * elements + e] += factor * std::copysign(largest[n] - v.limit, xn[e]);
      }
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
