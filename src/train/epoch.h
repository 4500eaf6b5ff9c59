// What is known of an epoch when it is over.
#pragma once

namespace velum::train {

struct EpochRecord {
  int epoch = 0;                                           // from 1
  double learning_rate = 0, loss = 0, train_accuracy = 0;  // over the epoch, on augmented images
  // Negative where there is no validation split; the loss is infinite where an output overflowed.
  double validation_accuracy = -1, validation_loss = -1;
  double seconds = 0;
  double replaced = 1;   // mean lambda of the activations at its end; below 1 while ReLUs are left
  bool teacher = false;  // of the ReLU network that is trained first
};

}  // namespace velum::train
