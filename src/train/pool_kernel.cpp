#include "train/pool_kernel.h"

#include <ATen/Parallel.h>

#include <vector>

#include "train/loops/choose.h"

namespace velum::train {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Planes {  // of a [N, C, H, W] tensor
  std::int64_t count;
  PoolPlane each;
};

Planes planes_of(at::IntArrayRef sizes, const Window& k) {
  return {sizes[0] * sizes[1],
          {sizes[2], sizes[3], (sizes[2] - k.kernel_h) / k.stride_h + 1,
           (sizes[3] - k.kernel_w) / k.stride_w + 1, k}};
}

// Calls work(plane, row) for all planes; row: a line of the input's width for the loops' own use.
template <typename Work>
void for_planes(const Planes& planes, const Work& work) {
  at::parallel_for(0, planes.count, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(static_cast<std::size_t>(planes.each.w));
    for (std::int64_t plane = begin; plane < end; ++plane) work(plane, row.data());
  });
}

struct PoolFunction : torch::autograd::Function<PoolFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x_in, std::int64_t kernel_h,
                               std::int64_t kernel_w, std::int64_t stride_h, std::int64_t stride_w) {
    const Window k{kernel_h, kernel_w, stride_h, stride_w};
    const auto x = x_in.contiguous();
    const auto p = planes_of(x.sizes(), k);
    auto y = torch::empty({x.size(0), x.size(1), p.each.out_h, p.each.out_w}, x.options());
    const float* from = x.data_ptr<float>();
    float* to = y.data_ptr<float>();
    for_planes(p, [&](std::int64_t plane, float* row) {
      loops().pool(from + plane * p.each.h * p.each.w, to + plane * p.each.out_h * p.each.out_w, p.each, row);
    });
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
    const auto p = planes_of(sizes, k);
    const float* from = gy.data_ptr<float>();
    float* to = gx.data_ptr<float>();
    for_planes(p, [&](std::int64_t plane, float* row) {
      loops().spread(from + plane * p.each.out_h * p.each.out_w, to + plane * p.each.h * p.each.w, p.each,
                     row);
    });
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
