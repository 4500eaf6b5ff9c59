// What both halves share: errors, progress, bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "velum/detail/error.h"

/// Neural networks on encrypted images: velum/client.h, velum/server.h, velum/model.h, or velum/velum.h for
/// all.
namespace velum {

/// The contents of a file of Velum (docs/formats.md): what `velum` reads and writes on disk.
using Bytes = std::vector<std::uint8_t>;
/// The same, seen. The function that takes one keeps no reference to it.
using ByteView = std::span<const std::uint8_t>;

/// Numbers from `low` to `high`.
struct Range {
  double low = 0;   ///< The least.
  double high = 0;  ///< The largest.
};

/// Told of a long call while it runs, and asked whether to go on. Both are called in the thread that made the
/// call, at most a few times a second of work, between pieces of it; a piece takes up to some seconds for
/// large networks. While a call waits for others of the same server, `cancel` is asked some twenty times a
/// second.
struct Monitor {
  /// The share of the work that is done, from 0 to 1, never falling. May be empty.
  std::function<void(double share)> progress = {};
  /// True ends the call: it throws Error of ErrorKind::cancelled, leaves no file behind, and the object that
  /// was called can be called again. May be empty.
  std::function<bool()> cancel = {};
  /// Told what is at work, such as "evaluating batch 2 of 3" and "conv1", and the share of that which is
  /// done: for a line on a terminal. Only velum::run() calls it; the other functions take no notice of it.
  /// May be empty.
  std::function<void(const std::string& stage, double share, const std::string& what)> stage = {};
};

/// A step of a network's evaluation.
struct StepReport {
  std::string name;                         ///< Of the model's layer that it ends with.
  double seconds = 0;                       ///< Taken, inputs' reading left out.
  double predicted_seconds_one_thread = 0;  ///< By the plan.
  std::uint64_t outputs = 0;                ///< Ciphertexts that it makes.
  std::uint32_t level = 0;                  ///< Limbs of those.
  double scale_bits = 0;                    ///< log2 of their scale.
  std::uint64_t multiply_adds = 0;          ///< Products of weights and residues.
  std::uint64_t ntts = 0;                   ///< Transforms.
  std::uint64_t key_products = 0;           ///< Products with keys, in limbs.
  std::uint64_t bytes = 0;                  ///< Of ciphertexts, read and written.
  /// Of a probed run, 0 otherwise: -log2 of the rms error over the largest magnitude, against the network in
  /// the clear. Copies and partial sums have none.
  double precision_bits = 0;
  /// The same against the plan in doubles, whose weights are rounded already: what encryption alone adds.
  double noise_precision_bits = 0;
};

/// What an evaluation took.
struct EvaluationReport {
  std::string batch;                 ///< The batch's id, 32 hexadecimal digits, as the client drew it.
  std::size_t images = 0;            ///< In the file.
  std::size_t batches = 0;           ///< Groups of images that are evaluated together.
  std::size_t images_per_batch = 0;  ///< Places of such a group.
  std::size_t slots = 0;             ///< Of a ciphertext: images_per_batch times the blocks that share one.
  int threads = 0;                   ///< That were used.
  /// Whether the server had evaluated nothing before (velum::run() makes one of its own for every run): such
  /// an evaluation touches new memory, and takes longer than later ones.
  bool first_run = false;
  double evaluate_seconds = 0;           ///< In the engine.
  double predicted_seconds = 0;          ///< The same by the plan, with so many threads.
  double total_seconds = 0;              ///< With reading and writing of files.
  double input_seconds = 0;              ///< Of evaluate_seconds: reading and expanding the inputs.
  std::uint64_t input_bytes = 0;         ///< Of the batch.
  std::uint64_t output_bytes = 0;        ///< Of the results.
  std::uint64_t planned_peak_bytes = 0;  ///< Memory, as planned for so many threads.
  std::uint64_t peak_rss_bytes = 0;      ///< Largest resident memory of this process so far.
  std::vector<StepReport> steps;         ///< In order.

  /// What one asks first, in a few lines for people: time, memory, places and sizes, predicted beside
  /// measured.
  std::string summary() const;
  /// The steps as a table for people.
  std::string to_text() const;
  /// All of it, as `velum infer --json` writes it. Keys: docs/api.md, "The reports as JSON".
  std::string to_json() const;
};

/// What an encrypted batch says of itself, without any key.
struct BatchInfo {
  std::string id;        ///< 32 hexadecimal digits, drawn when it was encrypted; results have that of theirs.
  std::string key;       ///< Names the secret key that it belongs to.
  bool results = false;  ///< Whether these are results, and not inputs.
  bool public_key = false;  ///< Whether the inputs were encrypted with a public key.
  std::size_t images = 0;   ///< At least 1.
  std::size_t batches = 0;  ///< Groups of images that are evaluated together.
  std::size_t images_per_batch =
      0;                    ///< Places of such a group; a group costs the same however many are filled.
  std::uint64_t bytes = 0;  ///< Of the file.
};

}  // namespace velum
