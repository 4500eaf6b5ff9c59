// A whole encrypted evaluation in one process: what `velum run` and `velum bench network` do.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ckks/client/client.h"
#include "engine/engine.h"
#include "session/local_probe.h"

namespace velum::session {

struct StageSeconds {
  double plan = 0, keygen = 0, encrypt = 0, evaluate = 0, decrypt = 0;
};

// A plan with the keys of both sides and the engine, which keeps its memory from run to run. Not movable: its
// members refer to each other.
class LocalSession {
 public:
  // Makes the keys.
  explicit LocalSession(const plan::ServerPlan& plan, const std::function<void(double done)>& progress = {});
  LocalSession(const LocalSession&) = delete;
  LocalSession& operator=(const LocalSession&) = delete;

  const plan::ServerPlan& plan() const { return plan_; }
  const ckks::Parameters& params() const { return params_; }
  const ckks::SecretKey& secret() const { return secret_; }
  const ckks::EvaluationKeys& keys() const { return keys_; }
  const engine::Engine& engine() const { return engine_; }

 private:
  const plan::ServerPlan& plan_;
  ckks::Parameters params_;
  ckks::SecretKey secret_;
  ckks::EvaluationKeys keys_;
  engine::Engine engine_;
};

struct LocalResult {
  std::size_t images = 0, batches = 0, images_per_batch = 0;
  std::vector<double> outputs;                      // [images][outputs]
  engine::RunReport report;                         // of all batches together
  StageSeconds seconds;                             // encrypt, evaluate, decrypt
  std::uint64_t input_bytes = 0, output_bytes = 0;  // as files
  std::uint64_t peak_rss_bytes = 0;                 // of this process, all stages
  std::uint64_t evaluate_peak_rss_bytes = 0;        // while evaluating
};

// Told of a stage ("encrypting batch 2 of 3"), the share of it that is done, and what is at work there. What
// it throws ends the run.
using StageProgress = std::function<void(const std::string& stage, double share, const std::string& what)>;

// Encrypts, evaluates and decrypts images [count][elements], batch by batch. With `probe`, the first batch is
// also decrypted layer by layer and compared with the clear executor; that time is left out of the
// figures.
LocalResult run_locally(const LocalSession& session, std::span<const float> pixels, std::size_t elements,
                        const ProbeTarget* probe = nullptr, const StageProgress& progress = {});

}  // namespace velum::session
