// All of Velum: networks and plans, the data owner's half, the server's half, and both in one process. CMake
// target velum::velum.
#pragma once

#include <utility>

#include "velum/client.h"
#include "velum/model.h"
#include "velum/server.h"

namespace velum {

/// How a run in one process works.
struct RunOptions {
  std::span<const std::int32_t> labels = {};  ///< A class for each image, or empty.
  int threads = 0;                            ///< 0: as many as this process may use.
  /// Decrypt every layer of the first batch, for StepReport::precision_bits. That time is left out of the
  /// figures.
  bool probe = false;
  std::optional<double> threshold;        ///< Of a single output, as PlanRequest::threshold.
  std::vector<std::string> classes = {};  ///< Names by output, for the page; empty: the network's.
  bool activations = false;  ///< Fill RunReport::activations, which takes a moment: for the page.
};

/// What a page says beside the figures.
struct PageInfo {
  std::string title;     ///< In one line.
  std::string subtitle;  ///< What it is of.
  /// How it came about: command, version, machine.
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<std::string> notes;  ///< What a reader must know.
};

/// How an encrypted run in one process went, compared with the network in the clear.
struct RunReport {
  std::size_t images = 0;            ///< That were run.
  std::vector<double> outputs;       ///< [image][output], decrypted.
  std::vector<double> clear;         ///< The same in the clear.
  DataForm form;                     ///< What outputs mean.
  std::vector<std::int32_t> labels;  ///< As given.
  std::vector<std::string> classes;  ///< Names by output; may be empty.
  double agreement = 0;  ///< Share of images with the same class either way; 1 where outputs are no classes.
  std::optional<double>
      accuracy;  ///< Share with the class of their label, encrypted; where there are labels.
  std::optional<double> accuracy_clear;  ///< The same in the clear.
  /// Mean of the classes' F1 over those that occur or are predicted, encrypted; where there are labels.
  std::optional<double> macro_f1;
  std::optional<double> macro_f1_clear;  ///< The same in the clear.
  double largest_error = 0;              ///< Of an output, against the clear.
  double precision_bits = 0;             ///< -log2 of the rms error over the largest clear output.
  double predicted_bits = 0;             ///< By the plan: -log2 of the rms error over the outputs' bound.
  double kept_bits = 0;                  ///< The same, measured.
  /// Why the outputs are not to be trusted: far fewer bits are kept than were predicted. Empty where they
  /// are.
  std::string problem;
  /// By the plan, of evaluating all batches with as many threads as it was made for;
  /// EvaluationReport::predicted_seconds is with those of this run.
  double predicted_seconds = 0;
  double keygen_seconds = 0;               ///< Making the keys.
  double encrypt_seconds = 0;              ///< Encrypting.
  double decrypt_seconds = 0;              ///< Decrypting.
  std::uint64_t evaluation_key_bytes = 0;  ///< Of the file.
  std::uint64_t peak_rss_bytes =
      0;                        ///< Largest resident memory of this process, keys and encryption included.
  ParameterInfo parameters;     ///< Of the scheme.
  std::string kernels;          ///< Name of the variant that computed.
  EvaluationReport evaluation;  ///< The server's part.
  std::vector<ActivationInfo> activations;  ///< Where they were asked for.

  /// For people: what one asks first, predicted beside measured. `plan_seconds`: of planning, where it is
  /// known.
  std::string to_text(double plan_seconds = 0) const;
  /// All figures; outputs are left out. Keys: docs/api.md, "The reports as JSON".
  std::string to_json(double plan_seconds = 0) const;
  /// A page that loads nothing and runs no script: figures, pictures and tables.
  std::string to_html(const PageInfo& info) const;
};

/// Makes keys, encrypts, evaluates and decrypts at least one image, batch by batch. The plan must be one of
/// the model. Throws Error where results are beyond what the plan allows for, of which none is right.
RunReport run(const Model& model, const Plan& plan, const Images& images, const RunOptions& options = {},
              const Monitor& monitor = {});

/// A file of Velum, or a network, described without any key.
struct FileDescription {
  std::string type;                                        ///< Such as "client plan" or "network (ONNX)".
  std::vector<std::pair<std::string, std::string>> facts;  ///< For people, in order.
  std::string table;                                       ///< Its layers or steps, for people; may be empty.
  std::string json;                                        ///< The same facts.
  std::optional<DataForm> form;           ///< Of plans and networks: what images and outputs mean.
  std::vector<std::int64_t> input_shape;  ///< Of plans and networks.
  std::size_t outputs = 0;                ///< Of plans and networks: numbers of an image.
};

/// Describes a plan, a key, a batch or a network. Throws Error where it is none of them, or damaged.
FileDescription describe_file(const std::string& path, const ModelOptions& options = {});

}  // namespace velum
