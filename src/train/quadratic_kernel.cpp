#include "train/quadratic_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <vector>

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

struct Peak {
  std::int64_t element = 0;
  float excess = 0;  // 0: the image stays inside
};

// Of each image, where |x| exceeds the limit most.
std::vector<Peak> find_peaks(const float* x, const Extent& extent, float limit) {
  std::vector<Peak> peaks(static_cast<std::size_t>(extent.images));
  const auto elements = extent.elements;
  at::parallel_for(0, extent.images, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const float* xn = x + n * elements;
      const float most = loops().largest(xn, elements);
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
    context->save_for_backward({x, a, b});
    context->saved_data["limit"] = limit;
    context->saved_data["share"] = share;
    context->saved_data["mean"] = mean;
    context->saved_data["peak"] = peak;
    auto penalty = torch::zeros({}, x.options());
    if (held) penalty += over.sum() * (mean / static_cast<double>(images * elements));
    if (limit > 0 && peak > 0) {
      double sum = 0;
      for (const auto& p : find_peaks(v.x, {images, elements}, v.limit))
        sum += static_cast<double>(p.excess) * static_cast<double>(p.excess);
      penalty += peak * sum / static_cast<double>(images);
    }
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
      const auto peaks = find_peaks(v.x, {images, elements}, v.limit);
      const auto factor = static_cast<float>(slope * peak / static_cast<double>(images));
      for (std::int64_t n = 0; n < images; ++n)
        if (const auto& p = peaks[static_cast<std::size_t>(n)]; p.excess > 0)
          v.gx[n * elements + p.element] += factor * std::copysign(p.excess, v.x[n * elements + p.element]);
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
