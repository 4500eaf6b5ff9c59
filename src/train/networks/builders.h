// The networks by name. Each is one function from a request to a description.
#pragma once

#include "train/network_spec.h"

namespace velum::train {

// small.cpp
NetworkSpec build_cryptonets(const NetworkRequest& request);
NetworkSpec build_shallow(const NetworkRequest& request);
NetworkSpec build_perceptron(const NetworkRequest& request);
NetworkSpec build_lenet5(const NetworkRequest& request);
NetworkSpec build_scnn(const NetworkRequest& request);
NetworkSpec build_vgg(const NetworkRequest& request);
// residual.cpp
NetworkSpec build_resnet20(const NetworkRequest& request);
NetworkSpec build_resnet32(const NetworkRequest& request);
NetworkSpec build_resnet44(const NetworkRequest& request);
// large.cpp
NetworkSpec build_alexnet(const NetworkRequest& request);
NetworkSpec build_squeezenet(const NetworkRequest& request);

}  // namespace velum::train
