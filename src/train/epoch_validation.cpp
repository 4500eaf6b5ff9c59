#include "train/epoch_validation.h"

#include <cmath>
#include <limits>

#include "train/average.h"
#include "train/trainer.h"

namespace velum::train {

void validate_epoch(Network& network, const Samples& validation, const std::vector<torch::Tensor>& average,
                    EpochRecord& record) {
  const auto own = state_of(*network);
  std::vector<torch::Tensor> trained;
  if (!average.empty()) {
    trained = copy_of(own);
    assign(own, average);
  }
  const auto logits = predict(network, validation.images);
  if (!trained.empty()) assign(own, trained);
  const double loss = torch::nn::functional::cross_entropy(logits, validation.labels).item<double>();
  record.validation_loss = std::isfinite(loss) ? loss : std::numeric_limits<double>::infinity();
  record.validation_accuracy =
      (logits.argmax(1) == validation.labels).to(torch::kFloat64).mean().item<double>();
}

}  // namespace velum::train
