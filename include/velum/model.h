// Networks and plans: what whoever has the network does before anything is encrypted. CMake target
// velum::velum.
#pragma once

#include <memory>
#include <optional>

#include "velum/client.h"
#include "velum/server.h"

namespace velum {

/// How to read a network's file. Empty texts: what the file says.
struct ModelOptions {
  std::string output;       ///< Name of the output that counts; empty: the first.
  std::string shape;        ///< "C,H,W" of an image, where the file leaves it open.
  std::string input_range;  ///< "LO,HI": the pixels that the network takes, for black and white.
  std::string input_mean;   ///< "M,...": taken off its pixels, one number or one a channel.
  std::string input_std;    ///< "S,...": they are divided by it then.
};

/// A layer of a network.
struct LayerInfo {
  std::string name;                 ///< Unique.
  std::string kind;                 ///< "convolution", "dense", ...
  std::vector<std::int64_t> shape;  ///< Of its output, for one image.
};

/// What a network's file says.
struct ModelInfo {
  std::string name;                        ///< In the file.
  std::vector<std::int64_t> input_shape;   ///< {channels, height, width} or {elements}.
  std::vector<std::int64_t> output_shape;  ///< Of one image.
  std::vector<std::string> classes;        ///< Names by output; may be empty.
  std::vector<LayerInfo> layers;           ///< In order.
  std::vector<std::string> notes;          ///< What the reader changed or left out.
  /// Why it cannot be encrypted: every layer that is no polynomial; empty where it can.
  std::vector<std::string> obstacles;
};

/// What is asked of a plan.
struct PlanRequest {
  std::uint64_t images = 0;  ///< That a job brings; 0: as many as a ring holds, one element a ciphertext.
  int security_bits = 128;   ///< 128, 192 or 256.
  double precision_bits =
      0;  ///< Least precision of the outputs, in bits of the largest; 0: the planner's own.
  std::uint64_t memory_bytes = 0;  ///< That evaluation may take; 0: what the machine has left.
  int threads = 0;                 ///< That the server will have; 0: as many as this process may use.
  bool public_key = false;         ///< Allow for inputs that were encrypted with a public key.
  bool statistics = true;  ///< Give data owners statistics of the images that the network was measured on.
  std::optional<double> threshold;  ///< Of a single output; empty: 0.5 of a probability, else 0.
};

/// One way of packing images that was planned.
struct PackingOption {
  std::string what;                    ///< For people.
  std::uint32_t blocks = 1;            ///< Elements of an image that share a ciphertext.
  std::size_t ring_dimension = 0;      ///< N.
  std::uint64_t images_per_batch = 0;  ///< Places.
  std::uint64_t batches = 0;           ///< For the job's images.
  double seconds = 0;                  ///< Predicted, for the job.
  std::uint64_t peak_bytes = 0;        ///< Predicted memory.
  std::uint64_t key_bytes = 0;         ///< Of the evaluation keys.
  double input_bytes_per_image = 0;    ///< That travel.
};

/// A network, planned. A value: copies are cheap.
class Plan {
 public:
  /// The half that evaluates; it has the weights.
  ServerPlan server() const;
  /// The half that data owners get.
  ClientPlan client() const;
  /// Predicted precision of the outputs, in bits of their bound.
  double precision_bits() const;
  /// What the planner says of its choices.
  std::vector<std::string> notes() const;
  /// All packings that were tried and fit; Model::frontier() tries the most.
  std::vector<PackingOption> options() const;
  /// For people, as `velum plan` prints it.
  std::string to_text() const;
  /// All figures.
  std::string to_json() const;
  /// Writes `client.plan` and `server.plan` to a folder: both or none.
  void save(const std::string& folder) const;

  /// @cond detail
  struct State;
  explicit Plan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
  /// @endcond
};

/// A network. A value: copies are cheap.
class Model {
 public:
  /// Reads an ONNX file. Throws Error naming every operator that cannot be read. Activations that are no
  /// polynomials are read: such a network can be evaluated in the clear, and not be planned.
  static Model load(const std::string& path, const ModelOptions& options = {});
  /// The same from memory; `name` names it in errors. Weights must be inside.
  static Model from_bytes(ByteView file, const std::string& name = "network",
                          const ModelOptions& options = {});

  /// What the file says.
  ModelInfo inspect() const;
  /// Outputs of images in the clear, [image][output]. threads: 0 for as many as this process may use.
  std::vector<double> evaluate(const Images& images, int threads = 0) const;
  /// Decides parameters, scales and schedule: from a second to some minutes. Throws Error: not polynomial,
  /// too deep, no ranges, or beyond the memory or the precision, with what would fit.
  Plan plan(const PlanRequest& request = {}, const Monitor& monitor = {}) const;
  /// Plans every packing that suits the network for the request's images (slow), the fastest first.
  std::vector<PackingOption> frontier(const PlanRequest& request, const Monitor& monitor = {}) const;

  /// @cond detail
  struct State;
  explicit Model(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
  /// @endcond
};

}  // namespace velum
