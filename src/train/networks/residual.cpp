// Residual networks for 32x32 images (He et al. 2015): 6 n + 2 layers, 6 n + 1 activations. The sum of the
// branches is normalised too: ReLU passes a growing shortcut on as it is, a quadratic squares its growth
// block after block.
#include "train/networks/builders.h"
#include "train/networks/chain.h"

namespace velum::train {

namespace {

// Where the size changes, the shortcut is a strided 1x1 convolution: linear, and no deeper than the other
// branch.
void residual_block(Chain& net, std::int64_t channels, std::int64_t stride, bool projected) {
  const auto input = net.place();
  auto shortcut = input;
  if (projected) {
    net.convolution(channels, 1, stride, {}, false);
    shortcut = net.place();
    net.go_to(input);
  }
  net.convolution(channels, 3, stride, same(1));
  net.convolution(channels, 3, 1, same(1), false);
  net.add(shortcut);
  net.normalise();
  net.activate();
}

NetworkSpec residual(const NetworkRequest& r, int blocks) {
  Chain net(r);
  const auto widths = r.widths.empty() ? std::vector<std::int64_t>{16, 32, 64} : r.widths;
  net.convolution(widths[0], 3, 1, same(1));
  for (std::size_t stage = 0; stage < widths.size(); ++stage)
    for (int block = 0; block < blocks; ++block) {
      const bool first = block == 0 && stage > 0;
      residual_block(net, widths[stage], first ? 2 : 1, first);
    }
  return std::move(net).classify_by_mean();
}

}  // namespace

NetworkSpec build_resnet20(const NetworkRequest& r) {
  return residual(r, 3);
}
NetworkSpec build_resnet32(const NetworkRequest& r) {
  return residual(r, 5);
}
NetworkSpec build_resnet44(const NetworkRequest& r) {
  return residual(r, 7);
}

}  // namespace velum::train
