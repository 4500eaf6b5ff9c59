#include "train/batch.h"

namespace velum::train {

Batch make_batch(const Samples& samples, const torch::Tensor& indices, const Augmentation& how,
                 torch::Device device) {
  Batch batch;
  batch.images = samples.images.index_select(0, indices);
  batch.labels = samples.labels.index_select(0, indices).to(device);
  if (how.any()) batch.images = augment(batch.images, how);
  if (how.mixup > 0) {
    batch.mixed = mix_pairs(batch.images, how.mixup);
    batch.images = batch.mixed.images;
  }
  batch.images = batch.images.to(device);
  return batch;
}

}  // namespace velum::train
