#include "train/activation_start.h"

#include "train/device.h"
#include "train/warm_start.h"

namespace velum::train {

namespace {

constexpr std::int64_t kImages = 2048;  // for the start of activations and of copied batch norms

torch::Tensor draw_images(const Samples& train) {
  return train.images.index_select(0, torch::randperm(train.count()).slice(0, 0, kImages));
}

StartNotes notes_of(const NetworkImpl& network) {
  StartNotes notes;
  for (const auto& item : network.named_children())
    if (const auto* act = item.value()->as<ActivationImpl>(); act && act->a.defined())
      notes[item.key()] = {act->a.detach().cpu().clone(), act->b.detach().cpu().clone(),
                           act->c.detach().cpu().clone()};
  return notes;
}

}  // namespace

StartNotes begin_network(NetworkImpl& network, Network from, const Samples& train, Start how,
                         const CoefficientLimits& limits) {
  // Drawn even where nothing needs them, so that what is drawn later does not depend on `from`.
  const auto images = draw_images(train);
  if (!from.is_empty()) copy_weights(network, from, images);
  // Copied batch norms are taken as they are, new ones with the statistics of these images.
  network.train(from.is_empty());
  const bool copied = !from.is_empty() && is_polynomial(from->spec());
  if (!copied) network.start_activations(images.to(device_of(network)), how, limits);
  return notes_of(network);
}

StartNotes restart_activations(NetworkImpl& network, const Samples& train, Start how,
                               const CoefficientLimits& limits) {
  network.eval();
  network.start_activations(draw_images(train).to(device_of(network)), how, limits);
  network.train();
  return notes_of(network);
}

}  // namespace velum::train
