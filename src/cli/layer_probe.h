// Precision layer by layer: decrypts each value of a run and compares it with the plan in the clear.
#pragma once

#include <vector>

#include "ckks/client/client.h"
#include "cli/client_batch.h"
#include "engine/engine.h"

namespace velum::cli {

class LayerProbe {
 public:
  // Compares the first images of the batch, a sample.
  LayerProbe(const plan::ServerPlan& plan, const ckks::Decryptor& decryptor, const BatchImages& images);
  engine::Probe callback();
  // Fills precision_bits of the report's steps, and takes the probes' time out of it.
  void finish(engine::RunReport& report) const;

 private:
  void look(std::uint32_t value, std::uint32_t first_element, const std::vector<ckks::ConstView>& elements);

  struct Sum {
    double squared_error = 0, largest = 0, count = 0, seconds = 0;
  };
  const plan::ServerPlan& plan_;
  const ckks::Decryptor& decryptor_;
  std::vector<std::vector<std::vector<double>>> clear_;  // [image][value][element]
  std::vector<Sum> sums_;                                // [value]
};

}  // namespace velum::cli
