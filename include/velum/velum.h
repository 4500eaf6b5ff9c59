// All of Velum: networks and plans, the data owner's half, the server's half, and both in one process. CMake
// target velum::velum.
#pragma once

#include "velum/client.h"
#include "velum/model.h"
#include "velum/server.h"

namespace velum {

/// How an encrypted run in one process went, compared with the network in the clear.
struct RunReport {
  std::size_t images = 0;       ///< That were run.
  std::vector<double> outputs;  ///< [image][output], decrypted.
  std::vector<double> clear;    ///< The same in the clear.
  double agreement = 0;  ///< Share of images with the same class either way; 1 where outputs are no classes.
  std::optional<double>
      accuracy;                ///< Share of images with the class of their label, where labels were given.
  double largest_error = 0;    ///< Of an output, against the clear.
  double precision_bits = 0;   ///< -log2 of the rms error over the largest clear output.
  double predicted_bits = 0;   ///< By the plan, of the outputs' bound.
  double keygen_seconds = 0;   ///< Making the keys.
  double encrypt_seconds = 0;  ///< Encrypting.
  double decrypt_seconds = 0;  ///< Decrypting.
  std::uint64_t evaluation_key_bytes = 0;  ///< Of the file.
  EvaluationReport evaluation;             ///< The server's part.

  /// All figures; outputs are left out.
  std::string to_json() const;
};

/// Makes keys, encrypts, evaluates and decrypts at least one image, batch by batch. `labels`: a class for
/// each image, or empty. threads: 0 for as many as this process may use. The plan must be one of the model.
/// Throws Error where results are beyond what the plan allows for.
RunReport run(const Model& model, const Plan& plan, const Images& images,
              std::span<const std::int32_t> labels = {}, int threads = 0, const Monitor& monitor = {});

}  // namespace velum
