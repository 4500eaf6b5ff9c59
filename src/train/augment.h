// Random changes to training images, drawn from torch's default generator.
#pragma once

#include <torch/torch.h>

namespace velum::train {

struct Augmentation {
  double shift = 0;        // up to this many pixels each way
  double rotate = 0;       // degrees, each way
  double scale = 0;        // size times 1 +- this
  double shear = 0;        // degrees, each way
  double elastic = 0;      // smooth displacement of about this many pixels
  bool flip = false;       // left and right, half of the images
  double intensity = 0;    // contrast times 1 +- this, brightness +- half of it
  double cutout = 0;       // side of a blanked square, pixels
  double mixup = 0;        // pairs are mixed in parts drawn from Beta(mixup, mixup); not part of augment()
  bool edge_fill = false;  // outside of an image its edge goes on, else it is black
  bool any() const {
    return shift > 0 || rotate > 0 || scale > 0 || shear > 0 || elastic > 0 || flip || intensity > 0 ||
           cutout > 0;
  }
};

// images: [N, C, H, W] in [0, 1]; a new tensor of the same shape and range.
torch::Tensor augment(const torch::Tensor& images, const Augmentation& how);

// Zhang et al. 2018: each image becomes part * itself + (1 - part) * a partner, and the loss mixes their
// labels alike.
struct Mixed {
  torch::Tensor images;
  torch::Tensor partner;  // [N] int64: positions in the batch
  double part = 1;
};
Mixed mix_pairs(const torch::Tensor& images, double alpha);

}  // namespace velum::train
