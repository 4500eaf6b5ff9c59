#include "train/pool_kernel.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

namespace velum::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Window {
  std::int64_t kernel_h, kernel_w, stride_h, stride_w;
};

struct Planes {  // of a [N, C, H, W] tensor and its pooled one
  std::int64_t count, h, w, out_h, out_w;
};

Planes planes_of(at::IntArrayRef sizes, const Window& k) {
  return {sizes[0] * sizes[1], sizes[2], sizes[3], (sizes[2] - k.kernel_h) / k.stride_h + 1,
          (sizes[3] - k.kernel_w) / k.stride_w + 1};
}

// Rows of a window are added up first, side by side; then columns.
void pool(const float* x, float* y, const Planes& p, const Window& k) {
  const float share = 1.0F / static_cast<float>(k.kernel_h * k.kernel_w);
  at::parallel_for(0, p.count, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> rows(static_cast<std::size_t>(p.w));
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t oy = 0; oy < p.out_h; ++oy) {
        const float* top = x + (plane * p.h + oy * k.stride_h) * p.w;
        std::copy(top, top + p.w, rows.begin());
        for (std::int64_t ky = 1; ky < k.kernel_h; ++ky)
          for (std::int64_t i = 0; i < p.w; ++i) rows[static_cast<std::size_t>(i)] += top[ky * p.w + i];
        float* out = y + (plane * p.out_h + oy) * p.out_w;
        const float* from = rows.data();
        for (std::int64_t ox = 0; ox < p.out_w; ++ox, from += k.stride_w) {
          float sum = from[0];
          for (std::int64_t kx = 1; kx < k.kernel_w; ++kx) sum += from[kx];
          out[ox] = share * sum;
        }
      }
  });
}

// The transpose: a pooled gradient spreads over its columns, then over its rows. gx is zero before.
void spread(const float* gy, float* gx, const Planes& p, const Window& k) {
  const float share = 1.0F / static_cast<float>(k.kernel_h * k.kernel_w);
  at::parallel_for(0, p.count, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(static_cast<std::size_t>(p.w));
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t oy = 0; oy < p.out_h; ++oy) {
        std::fill(row.begin(), row.end(), 0.0F);
        const float* in = gy + (plane * p.out_h + oy) * p.out_w;
        float* to = row.data();
        for (std::int64_t ox = 0; ox < p.out_w; ++ox, to += k.stride_w)
          for (std::int64_t kx = 0; kx < k.kernel_w; ++kx) to[kx] += share * in[ox];
        float* top = gx + (plane * p.h + oy * k.stride_h) * p.w;
        for (std::int64_t ky = 0; ky < k.kernel_h; ++ky)
          for (std::int64_t i = 0; i < p.w; ++i) top[ky * p.w + i] += row[static_cast<std::size_t>(i)];
      }
  });
}

struct PoolFunction : torch::autograd::Function<PoolFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x_in, std::int64_t kernel_h,
                               std::int64_t kernel_w, std::int64_t stride_h, std::int64_t stride_w) {
    const Window k{kernel_h, kernel_w, stride_h, stride_w};
    const auto x = x_in.contiguous();
    const auto p = planes_of(x.sizes(), k);
    auto y = torch::empty({x.size(0), x.size(1), p.out_h, p.out_w}, x.options());
    pool(x.data_ptr<float>(), y.data_ptr<float>(), p, k);
    context->saved_data["sizes"] = x.sizes().vec();
    context->saved_data["window"] = std::vector<std::int64_t>{kernel_h, kernel_w, stride_h, stride_w};
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const auto window = context->saved_data["window"].toIntVector();
    const Window k{window[0], window[1], window[2], window[3]};
    const auto gy = grads[0].contiguous();
    auto gx = torch::zeros(sizes, gy.options());
    spread(gy.data_ptr<float>(), gx.data_ptr<float>(), planes_of(sizes, k), k);
    const torch::Tensor none;
    return {gx, none, none, none, none};
  }
};

}  // namespace

torch::Tensor average_pool(const torch::Tensor& x, std::int64_t kernel_h, std::int64_t kernel_w,
                           std::int64_t stride_h, std::int64_t stride_w) {
  TORCH_CHECK(x.dim() == 4 && x.size(2) >= kernel_h && x.size(3) >= kernel_w, "average_pool: windows of ",
              kernel_h, "x", kernel_w, " in a tensor of ", x.sizes());
  if (!x.device().is_cpu()) return torch::avg_pool2d(x, {kernel_h, kernel_w}, {stride_h, stride_w});
  return PoolFunction::apply(x, kernel_h, kernel_w, stride_h, stride_w);
}

}  // namespace velum::train
