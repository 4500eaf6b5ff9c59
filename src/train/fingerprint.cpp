#include "train/fingerprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sodium.h>

#include <array>
#include <span>

namespace velum::train {

namespace {

class Digest {
 public:
  Digest() { crypto_generichash_init(&state_, nullptr, 0, bytes_.size()); }
  void add(const torch::Tensor& t) {
    if (!t.defined()) return;
    const auto plain = t.detach().cpu().contiguous();
    crypto_generichash_update(&state_, static_cast<const unsigned char*>(plain.data_ptr()), plain.nbytes());
  }
  void add(const Samples& samples) {
    add(samples.images);
    add(samples.labels);
  }
  std::string text() {
    crypto_generichash_final(&state_, bytes_.data(), bytes_.size());
    return fmt::format("{:02x}", fmt::join(std::span(bytes_).first(8), ""));
  }

 private:
  crypto_generichash_state state_;
  std::array<unsigned char, crypto_generichash_BYTES> bytes_{};
};

}  // namespace

std::string fingerprint(const TrainingData& data) {
  Digest digest;
  digest.add(data.train);
  digest.add(data.validation);
  return fmt::format("{} training and {} validation images, {}", data.train.count(), data.validation.count(),
                     digest.text());
}

std::string fingerprint(const Network& network) {
  if (network.is_empty()) return "none";
  Digest digest;
  for (const auto& t : network->parameters()) digest.add(t);
  for (const auto& t : network->buffers()) digest.add(t);
  return digest.text();
}

}  // namespace velum::train
