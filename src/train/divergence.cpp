#include "train/divergence.h"

#include <fmt/format.h>

#include <string>

#include "base/error.h"
#include "train/device.h"

namespace velum::train {

namespace {

std::string first_broken_place(NetworkImpl& network, const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  std::string broken;
  network.run(images.to(device_of(network)), {},
              [&](const LayerSpec& layer, const torch::Tensor&, const torch::Tensor& out) {
                if (broken.empty() && !torch::isfinite(out).all().item<bool>()) broken = layer.name;
              });
  return broken.empty() ? "in the loss, which is not finite though every layer's output is"
                        : fmt::format("at layer {}, whose output is not finite", broken);
}

}  // namespace

void stop_diverged(NetworkImpl& network, const torch::Tensor& images, int epoch,
                   const CheckpointKeeper& checkpoint) {
  const auto place = first_broken_place(network, images);
  fail("training diverged in epoch {} {}; lower --lr or --coefficient-rate, or raise --range-penalty{}",
       epoch, place,
       checkpoint.epoch() == 0
           ? "; --checkpoint FILE would keep a network to go on from"
           : fmt::format("; {} holds the network after epoch {}: go on from there with --resume "
                         "--allow-changes",
                         checkpoint.path(), checkpoint.epoch()));
}

}  // namespace velum::train
