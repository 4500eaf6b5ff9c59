// Networks for photographs and X-rays, 112x112 or 224x224, grey or colour. Batch norm follows every
// convolution: without it the inputs of quadratics drift out of their ranges.
#include "train/networks/builders.h"
#include "train/networks/chain.h"

namespace velum::train {

namespace {

// Squeeze to few channels, then expand by 1x1 and 3x3 convolutions side by side.
void fire(Chain& net, std::int64_t squeezed, std::int64_t expanded) {
  net.convolution(squeezed, 1, 1, {});
  const auto narrow = net.place();
  net.convolution(expanded, 1, 1, {});
  const auto points = net.place();
  net.go_to(narrow);
  net.convolution(expanded, 3, 1, same(1));
  const auto squares = net.place();
  net.concatenate({points, squares});
}

}  // namespace

// Krizhevsky et al. 2012 in its one-column form: seven activations.
NetworkSpec build_alexnet(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(64, 11, 4, same(2));
  net.pool(3, 2);
  net.convolution(192, 5, 1, same(2));
  net.pool(3, 2);
  net.convolution(384, 3, 1, same(1));
  net.convolution(256, 3, 1, same(1));
  net.convolution(256, 3, 1, same(1));
  net.pool(3, 2);
  net.flatten();
  net.dense(4096);
  net.dense(4096);
  return std::move(net).classify();
}

// Iandola et al. 2016, version 1.1. The last convolution gives the classes and is linear: an activation
// behind it would cost a level and bring nothing. 17 activations deep.
NetworkSpec build_squeezenet(const NetworkRequest& r) {
  Chain net(r);
  net.convolution(64, 3, 2, {});
  net.pool(3, 2);
  fire(net, 16, 64);
  fire(net, 16, 64);
  net.pool(3, 2);
  fire(net, 32, 128);
  fire(net, 32, 128);
  net.pool(3, 2);
  fire(net, 48, 192);
  fire(net, 48, 192);
  fire(net, 64, 256);
  fire(net, 64, 256);
  return std::move(net).classify_by_positions();
}

}  // namespace velum::train
