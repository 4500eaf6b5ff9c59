// The client's half of a plan.
#pragma once

#include <memory>

#include "velum/detail/common.h"

namespace velum {

/// What a row of outputs says.
struct Prediction {
  std::int32_t predicted =
      0;  ///< The class: the largest output; of a single output, 1 where it is above the threshold.
  double probability = 0;  ///< Of that class: softmax of the outputs, or the sigmoid of a single one.
};

/// What a data owner must know of a network: the form of its images and outputs, parameters, and which keys
/// the server needs. No weight is in it. A value: copies are cheap and share their contents, which never
/// change.
class ClientPlan {
 public:
  /// Reads `client.plan`. Throws Error: the file cannot be read, is damaged, of another kind or version, or
  /// promises less than 128 bits of security.
  static ClientPlan load(const std::string& path);
  /// The same from memory; `name` names it in errors.
  static ClientPlan from_bytes(ByteView file, const std::string& name = "client plan");
  /// The file.
  Bytes to_bytes() const;
  /// Writes the file, complete or not at all.
  void save(const std::string& path) const;

  /// Binds keys and batches to this plan and to the network it was made for: 32 hexadecimal digits.
  std::string id() const;
  /// The network's name.
  std::string model_name() const;
  /// {channels, height, width} of an image, or {elements}.
  std::vector<std::int64_t> input_shape() const;
  /// Numbers of an image: the product of input_shape().
  std::size_t input_elements() const;
  /// Numbers that the network gives for an image.
  std::size_t outputs() const;
  /// Names by output; empty where they are unknown.
  std::vector<std::string> classes() const;
  /// Places of a batch: up to so many images take the time of one.
  std::size_t images_per_batch() const;
  /// Classical security of the parameters: 128, 192 or 256.
  int security_bits() const;
  /// Whether the plan's precision allows for inputs that were encrypted with a public key.
  bool public_key() const;

  /// Bytes of a file with so many encrypted images (at least 1); with_public_key: encrypted with a public
  /// key.
  std::uint64_t input_bytes(std::size_t images, bool with_public_key = false) const;
  /// Bytes of the results of so many images.
  std::uint64_t output_bytes(std::size_t images) const;
  /// Bytes of the evaluation keys, of one public key.
  std::uint64_t evaluation_key_bytes() const;
  std::uint64_t public_key_bytes() const;  ///< See evaluation_key_bytes().

  /// What rows of outputs() numbers say, in order. Throws Error where it is no whole number of rows, or where
  /// outputs are a map and not scores of classes.
  std::vector<Prediction> decide(std::span<const double> outputs) const;

  /// A batch's header, checked against this plan, without any key: throws Error where it was made for another
  /// plan, is damaged or has another length than it says.
  BatchInfo inspect(ByteView batch) const;
  /// The same of a file.
  BatchInfo inspect_file(const std::string& path) const;

  /// @cond detail
  struct State;
  explicit ClientPlan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
  /// @endcond
};

}  // namespace velum
