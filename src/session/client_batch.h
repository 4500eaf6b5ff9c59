// From images to ciphertexts and from ciphertexts to results: the client's half of a batch.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ckks/client/client.h"
#include "engine/batch_file.h"
#include "plan/plan.h"

namespace velum::session {

// Images of one batch: [count][elements], at most plan::images_per_batch of them.
struct BatchImages {
  std::span<const float> pixels;
  std::size_t elements = 0;
  std::size_t first = 0;  // the number of the first of them in the data set, for messages
  std::size_t count() const { return elements ? pixels.size() / elements : 0; }
};
// Batch b of a data set, of `per_batch` images each.
BatchImages batch_images(std::span<const float> pixels, std::size_t elements, std::size_t per_batch,
                         std::size_t batch);

// The slots of ciphertext k of a batch: for every image the elements that the input's layout puts into its
// blocks, zero where it puts none. Images are repeated until the slots are full: in an empty slot the network
// would see an image of zeros, which is nothing like the others, may leave the ranges that the plan was made
// for, and then ruins the results of all slots. Refuses a value outside the range that the plan was made for,
// naming its image. Thread-safe.
SecretBuffer<double> fill_slots(const plan::ClientPlan& plan, const BatchImages& images, std::size_t k);
// Encrypted with the secret key.
ckks::SeededCiphertext encrypt_ciphertext(const plan::ClientPlan& plan, const ckks::Encryptor& encryptor,
                                          const BatchImages& images, std::size_t k);

// How many ciphertexts are encrypted, written or read at a time: enough for all threads, few for the memory.
std::size_t chunk_size();

using Progressing = std::function<void(double done)>;  // share of the work, 0..1

// Encrypts a whole batch into memory, packed.
void encrypt_batch(engine::PackedInput& out, const plan::ClientPlan& plan, const ckks::Parameters& params,
                   const ckks::Encryptor& encryptor, const BatchImages& images,
                   const Progressing& progress = {});
// Makes the records of a batch file: with the secret key, or with the public one. Thread-safe.
class RecordEncryptor {
 public:
  virtual ~RecordEncryptor() = default;
  virtual FileType type() const = 0;   // of the batch
  virtual engine::Id key() const = 0;  // that its results are decrypted with
  virtual void encrypt(std::span<std::uint8_t> record, std::span<const double> slots,
                       const plan::ClientPlan& plan) const = 0;
};
// The key must outlive it.
std::unique_ptr<RecordEncryptor> secret_encryptor(const ckks::Parameters& params,
                                                  const ckks::SecretKey& secret);
std::unique_ptr<RecordEncryptor> public_encryptor(const ckks::Parameters& params, const ckks::PublicKey& key);

// A writer's origin: the key, and a name that no other batch has.
engine::BatchOrigin fresh_origin(const RecordEncryptor& encryptor);
// Encrypts all images into a batch, chunk by chunk. `commit` or `take` of the writer is left to do.
void encrypt_images(engine::BatchWriter& writer, const plan::ClientPlan& plan,
                    const RecordEncryptor& encryptor, std::span<const float> pixels, std::size_t elements,
                    const Progressing& progress = {});

// Refuses decrypted outputs[image][o] of which any is larger than the plan allows for, naming the images. A
// square that leaves its range wraps around the modulus, and because every coefficient is a sum over the
// slots, what comes out is garbage in *all* images of the ciphertext: of the size of the modulus, so that it
// shows here. `what` names their origin; the first image is number `first_image`.
void check_outputs(std::span<const double> outputs, const plan::ClientPlan& plan, const std::string& what,
                   std::size_t first_image = 0);

// outputs[image][o] of one batch from its output ciphertexts, checked; the first image is number
// `first_image`.
std::vector<double> decrypt_batch(const plan::ClientPlan& plan, const ckks::Decryptor& decryptor,
                                  const std::vector<ckks::Ciphertext>& ciphertexts, std::size_t images,
                                  std::size_t first_image = 0);
std::vector<double> decrypt_file(const engine::BatchReader& reader, const plan::ClientPlan& plan,
                                 const ckks::Decryptor& decryptor, const Progressing& progress = {});

}  // namespace velum::session
