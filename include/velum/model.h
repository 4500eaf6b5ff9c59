// Networks and plans: what whoever has the network does before anything is encrypted. CMake target
// velum::velum.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "velum/client.h"
#include "velum/server.h"

namespace velum {

/// How to read a network's file. Empty texts: what the file says. Throws Error for texts that say nothing.
struct ModelOptions {
  std::string output;       ///< Name of the output that counts; empty: the first.
  std::string shape;        ///< "C,H,W" of an image, where the file leaves it open.
  std::string input_range;  ///< "LO,HI": the pixels that the network takes, for black and white.
  std::string input_mean;   ///< "M,...": taken off its pixels, one number or one a channel.
  std::string input_std;    ///< "S,...": they are divided by it then.
  /// Leave the last three aside where the file records its own: for a second network beside the one they are
  /// of.
  bool unless_recorded = false;
};

/// A layer of a network.
struct LayerInfo {
  std::string name;                 ///< Unique.
  std::string kind;                 ///< "convolution", "dense", ...
  std::vector<std::int64_t> shape;  ///< Of its output, for one image.
  std::optional<Range> range;       ///< Of its output, where the file records it or images were measured.
};

/// What a network takes as pixels; mean and deviation are in its first layer by now.
struct PixelInfo {
  double low = 0;                 ///< Black, as the file wants it.
  double high = 1;                ///< White.
  std::vector<double> mean;       ///< Taken off, one or one a channel; may be empty.
  std::vector<double> deviation;  ///< Divided by then; may be empty.
  bool stated = false;            ///< By the file or the options, and not assumed.
  std::string text;               ///< For people, with where it is from.
};

/// A layer that is no polynomial.
struct ObstacleInfo {
  std::string layer;  ///< Its name.
  std::string what;   ///< The operator, in words.
  std::string needs;  ///< What evaluating it on ciphertexts would take.
};

/// What a network's file says.
struct ModelInfo {
  std::string name;                             ///< In the file.
  std::vector<std::int64_t> input_shape;        ///< {channels, height, width} or {elements}.
  std::vector<std::int64_t> output_shape;       ///< Of one image.
  Range input_range;                            ///< Of a pixel, after black and white are 0 and 1.
  PixelInfo pixels;                             ///< As the file takes them.
  DataForm form;                                ///< What images and outputs mean.
  std::vector<std::string> classes;             ///< Names by output; may be empty.
  std::vector<LayerInfo> layers;                ///< In order.
  std::vector<std::string> notes;               ///< What the reader changed or left out.
  std::map<std::string, std::string> metadata;  ///< That travels with it: recipe, data set, accuracy.
  std::vector<ObstacleInfo> obstacles;          ///< Why it cannot be encrypted; empty where it can.
  std::string obstacles_text;                   ///< The same in a sentence, with the remedy.
};

/// A unit of an activation layer: a x^2 + b x + c of its input x.
struct UnitInfo {
  std::size_t element = 0;  ///< Its number in the layer.
  Range input;              ///< Seen over the images.
  double a = 0;             ///< Of x^2.
  double b = 0;             ///< Of x.
  double c = 0;             ///< By itself.
};

/// An activation layer, seen at work.
struct ActivationInfo {
  std::string name;              ///< Of the layer.
  bool relu = false;             ///< ReLU, and not a quadratic.
  std::size_t elements = 0;      ///< Of an image.
  Range input;                   ///< Over the images.
  double input_rms = 0;          ///< Root of the mean of its squares.
  Range output;                  ///< Over the images.
  double output_rms = 0;         ///< As input_rms.
  std::optional<Range> planned;  ///< Of the input, as the network records it: a plan relies on it.
  std::vector<UnitInfo> units;   ///< Some of them, over the layer; none of ReLU.
};

/// Which packings a plan may choose from: docs/design.md, "Blocks".
enum class Packing : std::uint8_t {
  automatic,  ///< Whichever takes least time for the job, within the memory.
  batch,      ///< One element of all images a ciphertext.
  blocks,     ///< Several elements of fewer images a ciphertext.
  channels,   ///< Whole channels a ciphertext.
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
  /// Results of as few bytes as can be: also where relinearising them takes time, and a key of the owner's.
  bool small_results = false;
  bool statistics = true;  ///< Give data owners statistics of the images that the network was measured on.
  std::optional<double> threshold;       ///< Of a single output; empty: 0.5 of a probability, else 0.
  std::optional<DataForm> form;          ///< In place of the network's: with other names of classes, say.
  Packing packing = Packing::automatic;  ///< The planner's choice, or a given one.
  std::uint32_t blocks = 0;              ///< So many a ciphertext, a power of two; 0: the planner's own.
  bool standard_ring = false;            ///< The standard ring in place of the real one.
  bool frontier = false;  ///< Plan every packing that suits the network (slow): Plan::options() has them all.
  /// Rates of this machine, for predicted times: the name of a file that `velum bench calibrate` wrote;
  /// empty: $VELUM_RATES, else the user's own file, where there is one; "builtin": a server's core.
  std::string rates = "builtin";
};

/// One way of packing images that was planned.
struct PackingOption {
  std::string what;                    ///< For people.
  std::uint32_t blocks = 1;            ///< Elements of an image that share a ciphertext.
  std::size_t ring_dimension = 0;      ///< N.
  std::uint64_t images_per_batch = 0;  ///< Places.
  std::uint64_t batches = 0;           ///< For the job's images.
  double seconds = 0;                  ///< Predicted, for the job.
  double seconds_per_image = 0;        ///< The same for one of its images.
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
  /// Outputs of images by the plan in doubles, [image][output]: the weights of the encrypted network, without
  /// its noise. threads: 0 for as many as this process may use.
  std::vector<double> evaluate(const Images& images, int threads = 0, const Monitor& monitor = {}) const;
  /// For people: what one asks first.
  std::string to_text() const;
  /// For people: parameters, and a table of the steps.
  std::string details() const;
  /// For people: why each choice was made, and what the runner-up would have cost.
  std::string explanation() const;
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
  /// Throws Error where the network cannot be encrypted: every layer that is no polynomial, and the remedy.
  void require_encryptable() const;
  /// What its outputs are, and where a single one is cut: by the file, by `seen` outputs where it records no
  /// ranges, and by `threshold` where there is one.
  DataForm form(std::optional<double> threshold = {}, std::span<const double> seen = {}) const;
  /// The same network with ranges, and statistics, of these images in place of its own, widened on both sides
  /// by `margin` times their width. Throws Error where it is no polynomial.
  Model calibrated(const Images& images, double margin = 0.25) const;
  /// Outputs of images in the clear, [image][output], whatever their values. threads: 0 for as many as this
  /// process may use.
  std::vector<double> evaluate(const Images& images, int threads = 0, const Monitor& monitor = {}) const;
  /// What the file itself gives where these are the outputs: with its final Softmax, say. [image][any width].
  std::vector<double> file_outputs(std::span<const double> outputs) const;
  /// What the activations see and compute over some of the images, up to `units` curves of each.
  std::vector<ActivationInfo> activations(const Images& images, std::size_t units = 4) const;
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
