// Chains of a few layers, for images of 28x28 to 64x64.
#include "train/networks/builders.h"
#include "train/networks/chain.h"

namespace velum::train {

// Dowlin et al. 2016 as Velum runs it: 28x28 becomes 5 maps of 13x13 (845 elements), then 100 units.
NetworkSpec build_cryptonets(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(5, 5, 2, {1, 1, 0, 0});
  net.flatten();
  net.dense(100);
  return std::move(net).classify();
}

// One activation, for speed: maps of 5x5 windows, two pixels apart, and the classes.
NetworkSpec build_shallow(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(5, 5, 2, {});
  net.flatten();
  return std::move(net).classify();
}

// One activation between dense layers.
NetworkSpec build_perceptron(const NetworkRequest& r) {
  Chain net(r);
  net.flatten();
  net.dense(128);
  return std::move(net).classify();
}

// LeNet-5 (LeCun et al. 1998) with average pooling: four activations.
NetworkSpec build_lenet5(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(6, 5, 1, same(2));
  net.pool(2);
  net.convolution(16, 5, 1, {});
  net.pool(2);
  net.flatten();
  net.dense(120);
  net.dense(84);
  return std::move(net).classify();
}

// For 32x32 colour images: strides from the first layer on keep the number of ciphertexts a layer small; five
// activations.
NetworkSpec build_scnn(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(24, 4, 2, same(1));
  net.convolution(48, 4, 2, same(1));
  net.convolution(64, 3, 1, same(1));
  net.convolution(96, 4, 2, same(1));
  net.flatten();
  net.dense(128);
  return std::move(net).classify();
}

// After Simonyan and Zisserman 2014: blocks of two 3x3 convolutions and a pool, as many as there are widths.
NetworkSpec build_vgg(const NetworkRequest& r) {
  Chain net(r);
  const auto widths = r.widths.empty() ? std::vector<std::int64_t>{32, 64, 128} : r.widths;
  for (const auto channels : widths) {
    net.convolution(channels, 3, 1, same(1));
    net.convolution(channels, 3, 1, same(1));
    net.pool(2);
  }
  net.flatten();
  net.dense(256);
  return std::move(net).classify();
}

}  // namespace velum::train
