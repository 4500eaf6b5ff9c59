// From images to ciphertexts and from ciphertexts to predictions: what `encrypt`, `decrypt` and `run` share.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "ckks/client/client.h"
#include "engine/batch_file.h"
#include "plan/plan.h"

namespace velum::cli {

// Images of one batch: [count][elements], count at most the slots.
struct BatchImages {
  std::span<const float> pixels;
  std::size_t elements = 0;
  std::size_t count() const { return elements ? pixels.size() / elements : 0; }
};
// Batch b of a data set.
BatchImages batch_images(std::span<const float> pixels, std::size_t elements, std::size_t slots,
                         std::size_t batch);

// The ciphertext at place k of the input order: that element of every image. Images are repeated until the
// slots are full: in an empty slot the network would see an image of zeros, which is nothing like the others,
// may leave the ranges that the plan was made for, and then ruins the results of all slots. Thread-safe.
ckks::SeededCiphertext encrypt_element(const plan::ClientPlan& plan, const ckks::Encryptor& encryptor,
                                       const BatchImages& images, std::size_t slots, std::size_t k);

// How many ciphertexts are encrypted, written or read at a time: enough for all threads, few for the memory.
std::size_t chunk_size();

using Progressing = std::function<void(double done)>;  // share of the work, 0..1

// Encrypts a whole batch into memory, packed.
void encrypt_batch(engine::PackedInput& out, const plan::ClientPlan& plan, const ckks::Parameters& params,
                   const ckks::Encryptor& encryptor, const BatchImages& images,
                   const Progressing& progress = {});
// Encrypts all images into a file, chunk by chunk; the bytes written.
std::uint64_t encrypt_to_file(const std::string& path, const plan::ClientPlan& plan,
                              const ckks::Parameters& params, const ckks::SecretKey& secret,
                              std::span<const float> pixels, std::size_t elements,
                              const Progressing& progress = {});

// outputs[image][o] of one batch from its output ciphertexts.
std::vector<double> decrypt_batch(const plan::ClientPlan& plan, const ckks::Decryptor& decryptor,
                                  const std::vector<ckks::Ciphertext>& ciphertexts, std::size_t images);
std::vector<double> decrypt_file(const engine::BatchReader& reader, const plan::ClientPlan& plan,
                                 const ckks::Decryptor& decryptor, const Progressing& progress = {});

}  // namespace velum::cli
