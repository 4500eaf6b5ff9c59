// The client's half of a plan.
#pragma once

#include <memory>
#include <optional>

#include "velum/detail/common.h"
#include "velum/detail/data_form.h"
#include "velum/detail/images.h"

namespace velum {

/// What a row of outputs says.
struct Prediction {
  std::int32_t predicted =
      0;  ///< The class: the largest output; of a single output, 1 where it is above the threshold.
  double probability = 0;  ///< Of that class: softmax of the outputs, or the sigmoid of a single one.
};

/// Where a single output is cut, as it is encrypted: that of a logit is at its probability's threshold.
double cut_of(const DataForm& form);
/// Why outputs are not scored by class; empty where they are.
std::string unscored_text(const DataForm& form, std::size_t outputs);
/// Another threshold of a single output. Throws Error where there is none, or the number is no threshold.
void set_threshold(DataForm& form, std::size_t outputs, std::optional<double> threshold);
/// What rows of `outputs` numbers say, in order.
std::vector<Prediction> decide(const DataForm& form, std::size_t outputs, std::span<const double> values);

/// Parameters of the encryption scheme.
struct ParameterInfo {
  std::string id;                      ///< Names them: hexadecimal digits.
  std::string ring;                    ///< "real" or "standard".
  std::size_t ring_dimension = 0;      ///< N.
  std::size_t slots = 0;               ///< Of a ciphertext.
  double log2_qp = 0;                  ///< Bits of all moduli together, which the security limits.
  int security_bits = 0;               ///< Classical: 128, 192 or 256.
  std::vector<std::uint64_t> primes;   ///< Of the ciphertexts' modulus.
  std::vector<std::uint64_t> special;  ///< Of the keys alone.
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
  /// What images and outputs mean.
  DataForm form() const;
  /// The values of images that the plan was made for, after black and white are 0 and 1; others are refused.
  Range input_range() const;
  /// All of the parameters.
  ParameterInfo parameters() const;
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

  /// Numbers of those images that are unlike the ones that the network was measured on, although in range:
  /// their results may be wrong, and so may those of images that are encrypted with them. Empty where the
  /// plan says nothing of them.
  std::vector<std::size_t> unlike(const Images& images) const;
  /// A line for people about them, of so many images in all; empty where there are none.
  std::string unlike_note(const std::vector<std::size_t>& unlike, std::size_t images) const;
  /// A line for people about so many images that leave most places of their batches empty; else empty.
  std::string fill_note(std::size_t images) const;

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
