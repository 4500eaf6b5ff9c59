// Polynomial networks that begin with the weights of a ReLU network, or go on from those of a polynomial one.
#pragma once

#include <torch/torch.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "train/network.h"

namespace velum::train {

// ReLUs whose inputs are far from unit size: in some channel the root mean square over the images is above
// kWideInput. Networks without batch norm have them. Quadratics and the pull on ranges go by inputs of about
// unit size, and no network needs others, as relu(s x) = s relu(x).
inline constexpr double kWideInput = 3;
std::set<std::string> wide_activations(Network& network, const torch::Tensor& images);

// The description of a loaded network as one that can be trained further: activations of `kind` for its
// activations (ReLUs, or quadratics already, but not both), average pools for its max pools, batch norm for
// fixed scales by channel, and batch norm in front of activations that have none. Behind each of the `wide`
// ones a scale that gives back what the batch norm before it divides by. Throws Error(user) where there is no
// activation, and where `kind` is relu but the network is polynomial.
NetworkSpec trainable_spec(const NetworkSpec& loaded, ActivationKind kind,
                           const std::set<std::string>& wide = {});

// The layer whose output stands for the ReLU's: the activation itself, or the scale behind it.
std::string restored_output(const NetworkSpec& spec, const std::string& activation);

// For every layer of `to` the layer of `from` that does the same: same operation and shape, in the same
// order. Dropout, and batch norm and restoring scales that `from` does without, may be missing; any
// activation stands for any other, an average pool for a max pool, and a batch norm for a fixed scale.
// Nothing where they are different networks.
std::optional<std::map<std::string, std::string>> matching_layers(const NetworkSpec& to,
                                                                  const NetworkSpec& from);

// Copies the weights by that matching. Batch norms take statistics that they have no source for from what
// `from` does with the images, and scales such that they compute the same, or, in front of a restoring scale,
// the same at unit size by channel. Quadratics take the coefficients of quadratics; those that stand for
// ReLUs are left alone. Throws Error(user) where the networks differ, or coefficients differ that `to`
// shares.
void copy_weights(NetworkImpl& to, Network& from, const torch::Tensor& images);

bool has_max_pool(const NetworkSpec& spec);
bool is_polynomial(const NetworkSpec& spec);  // it has activations, and none is ReLU

}  // namespace velum::train
