#include "train/norm_kernel.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <vector>

#include "train/loops/choose.h"

namespace velum::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct NormFunction : torch::autograd::Function<NormFunction> {
  // mean and variance: [C], receive the statistics of the batch.
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x_in,
                               const torch::Tensor& gamma, const torch::Tensor& beta, double epsilon,
                               torch::Tensor mean, torch::Tensor variance) {
    const auto x = x_in.contiguous();
    auto y = torch::empty_like(x);
    auto inverse = torch::empty_like(mean);
    const NormValues v{x.data_ptr<float>(),
                       gamma.data_ptr<float>(),
                       beta.data_ptr<float>(),
                       y.data_ptr<float>(),
                       x.size(0),
                       x.size(1),
                       x.size(2) * x.size(3),
                       epsilon};
    float *means = mean.data_ptr<float>(), *variances = variance.data_ptr<float>(),
          *inverses = inverse.data_ptr<float>();
    at::parallel_for(0, v.channels, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        const auto found = loops().norm(v, c);
        means[c] = static_cast<float>(found.mean);
        variances[c] = static_cast<float>(found.variance);
        inverses[c] = static_cast<float>(1 / std::sqrt(found.variance + epsilon));
      }
    });
    context->save_for_backward({x, gamma, mean, inverse});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const auto& x = saved[0];
    const auto gy = grads[0].contiguous();
    auto gx = torch::empty_like(x), ggamma = torch::empty_like(saved[1]), gbeta = torch::empty_like(saved[1]);
    const NormGradients v{x.data_ptr<float>(),
                          gy.data_ptr<float>(),
                          saved[1].data_ptr<float>(),
                          saved[2].data_ptr<float>(),
                          saved[3].data_ptr<float>(),
                          gx.data_ptr<float>(),
                          ggamma.data_ptr<float>(),
                          gbeta.data_ptr<float>(),
                          x.size(0),
                          x.size(1),
                          x.size(2) * x.size(3)};
    at::parallel_for(0, v.channels, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) loops().norm_backward(v, c);
    });
    const torch::Tensor none;
    return {gx, ggamma, gbeta, none, none, none};
  }
};

}  // namespace

torch::Tensor batch_norm(torch::nn::BatchNorm2dImpl& layer, const torch::Tensor& x) {
  const auto& o = layer.options;
  const bool mine = layer.is_training() && o.affine() && o.track_running_stats() &&
                    o.momentum().has_value() && x.device().is_cpu() && x.scalar_type() == torch::kFloat32 &&
                    x.dim() == 4 && layer.weight.scalar_type() == torch::kFloat32 &&
                    x.size(1) == o.num_features() && x.numel() > x.size(1);
  if (!mine) return layer.forward(x);
  auto mean = torch::empty({x.size(1)}, x.options().requires_grad(false));
  auto variance = torch::empty_like(mean);
  auto y = NormFunction::apply(x, layer.weight, layer.bias, o.eps(), mean, variance);
  const torch::NoGradGuard no_grad;
  const double momentum = *o.momentum();
  const auto count = static_cast<double>(x.numel() / x.size(1));
  layer.running_mean.mul_(1 - momentum).add_(mean, momentum);
  layer.running_var.mul_(1 - momentum).add_(variance, momentum * count / (count - 1));  // that of a sample
  layer.num_batches_tracked += 1;
  return y;
}

}  // namespace velum::train
