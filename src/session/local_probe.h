// Precision layer by layer: decrypts each value of a run and compares it with the clear executor.
#pragma once

#include <vector>

#include "ckks/client/client.h"
#include "engine/engine.h"
#include "model/graph.h"
#include "plan/passes.h"
#include "session/client_batch.h"

namespace velum::session {

// What a run is compared with.
struct ProbeTarget {
  const model::Graph& graph;
  const plan::ServerPlan& plan;  // of that graph
  const std::vector<plan::Meaning>& meanings;
};

class LayerProbe {
 public:
  // Compares the first images of the batch, a sample.
  LayerProbe(const ProbeTarget& target, const ckks::Decryptor& decryptor, const BatchImages& images);
  engine::Probe callback();
  // Fills the precisions of the report's steps, and takes the probes' time out of it. Precisions of a layer
  // are relative to the largest of its own values in the clear network, whatever shift and factor the plan
  // gives it.
  void finish(engine::RunReport& report) const;

 private:
  void look(std::uint32_t value, std::uint32_t first, const std::vector<ckks::ConstView>& ciphertexts);

  struct Sum {
    double squared_error = 0, squared_noise = 0, largest = 0, count = 0, seconds = 0;
  };
  using Values = std::vector<std::vector<double>>;
  const plan::ServerPlan& plan_;
  const std::vector<plan::Meaning>& meanings_;
  const ckks::Decryptor& decryptor_;
  std::vector<Values> expected_;  // [image], by the clear executor, [value][element]
  std::vector<Values> rounded_;   // [image], by the plan in doubles, [value][ciphertext][block]
  std::vector<Sum> sums_;         // [value]
};

}  // namespace velum::session
