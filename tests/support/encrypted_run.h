// A whole encrypted run in one process, for tests: plan, keys, encryption, evaluation, decryption.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "model/graph.h"
#include "plan/passes.h"

namespace velum::test {

struct EncryptedRun {
  plan::PlanResult planned;
  std::vector<double> outputs;    // [image][output], decrypted
  std::vector<double> expected;   // the same by the clear executor
  std::vector<double> quantised;  // the same by the plan in plain doubles: rounded weights, no noise
  double worst_error = 0;         // largest difference over the largest expected magnitude
  double worst_noise = 0;         // the same against `quantised`: what encryption adds
  engine::RunReport report;
  std::vector<ckks::Ciphertext> ciphertexts;
};

// Planner settings for tiny rings: no security, N as small as `log_n`.
plan::Request tiny_request(int log_n = 8);

// `count` images at random in the graph's input range, seeded. Ranges of the graph are calibrated from them.
EncryptedRun run_encrypted(model::Graph graph, const plan::Request& request, std::size_t count,
                           unsigned seed = 1);

}  // namespace velum::test
