// Polynomial networks that begin with the weights of a ReLU network, or go on from those of a polynomial one.
#pragma once

#include <torch/torch.h>

#include <map>
#include <optional>
#include <string>

#include "train/network.h"

namespace velum::train {

// The description of a loaded network as one that can be trained further: activations of `kind` for its
// activations (ReLUs, or quadratics already, but not both), average pools for its max pools, batch norm for
// fixed scales by channel, and batch norm in front of activations that have none. Throws Error(user) where
// there is no activation, and where `kind` is relu but the network is polynomial.
NetworkSpec trainable_spec(const NetworkSpec& loaded, ActivationKind kind);

// For every layer of `to` the layer of `from` that does the same: same operation and shape, in the same
// order. Dropout, and batch norm that `from` does without, may be missing; any activation stands for any
// other, an average pool for a max pool, and a batch norm for a fixed scale. Nothing where they are different
// networks.
std::optional<std::map<std::string, std::string>> matching_layers(const NetworkSpec& to,
                                                                  const NetworkSpec& from);

// Copies the weights by that matching. Batch norms take statistics that they have no source for from what
// `from` does with the images, and scales such that they compute the same. Quadratics take the coefficients
// of quadratics; those that stand for ReLUs are left alone. Throws Error(user) where the networks differ, or
// coefficients differ that `to` shares.
void copy_weights(NetworkImpl& to, Network& from, const torch::Tensor& images);

bool has_max_pool(const NetworkSpec& spec);
bool is_polynomial(const NetworkSpec& spec);  // it has activations, and none is ReLU

}  // namespace velum::train
