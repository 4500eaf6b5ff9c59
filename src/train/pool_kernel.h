// Average pooling on the CPU, row by row. Written by hand because torch's own walks every window by itself,
// which shows in networks that pool large feature maps.
#pragma once

#include <torch/torch.h>

namespace velum::train {

// Mean over windows of kernel_h x kernel_w, stride_h x stride_w apart, that lie inside the image whole, as
// avg_pool2d without padding. x: [N, C, H, W], float. Differentiable once. The result does not depend on the
// number of threads. Tensors elsewhere than on the CPU take torch's way.
torch::Tensor average_pool(const torch::Tensor& x, std::int64_t kernel_h, std::int64_t kernel_w,
                           std::int64_t stride_h, std::int64_t stride_w);

}  // namespace velum::train
