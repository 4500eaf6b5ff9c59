#include "session/client_batch.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "ring/random.h"
#include "session/image_notes.h"

namespace velum::session {

namespace {

// The blocks of output ciphertext o of `images` images to outputs[image][output].
void scatter(std::vector<double>& outputs, std::span<const double> slots, std::size_t first_image,
             std::size_t images, const plan::ClientPlan& plan, std::size_t o) {
  const std::size_t blocks = plan.blocks;
  for (std::size_t p = 0; p < blocks; ++p) {
    const auto output = plan.output_order[o * blocks + p];
    if (output == plan::kAbsent) continue;
    for (std::size_t j = 0; j < images; ++j)
      outputs[(first_image + j) * plan.outputs + output] = slots[j * blocks + p];
  }
}

// A name that no other batch has.
engine::Id random_batch_id() {
  engine::Id id;
  ring::system_random(id);
  return id;
}

class WithSecret : public RecordEncryptor {
 public:
  WithSecret(const ckks::Parameters& params, const ckks::SecretKey& secret)
      : params_(params), key_(secret.id()), encryptor_(params, secret, ring::Randomness::system()) {}
  FileType type() const override { return FileType::input_batch; }
  engine::Id key() const override { return key_; }
  void encrypt(std::span<std::uint8_t> record, std::span<const double> slots,
               const plan::ClientPlan& plan) const override {
    engine::pack_input(record, encryptor_.encrypt(slots, plan.input_scale, plan.input_limbs), params_);
  }

 private:
  ckks::Parameters params_;
  engine::Id key_;
  ckks::Encryptor encryptor_;
};

class WithPublic : public RecordEncryptor {
 public:
  WithPublic(const ckks::Parameters& params, const ckks::PublicKey& key)
      : params_(params),
        key_(key),
        encoder_(params.ring_type(), params.n()),
        randomness_(ring::Randomness::system()) {}
  FileType type() const override { return FileType::public_batch; }
  engine::Id key() const override { return key_.key_id; }
  void encrypt(std::span<std::uint8_t> record, std::span<const double> slots,
               const plan::ClientPlan& plan) const override {
    const auto ciphertext =
        ckks::encrypt_public(params_, key_, encoder_, slots, plan.input_scale, plan.input_limbs, randomness_);
    engine::pack_output(record, ciphertext.view(), params_);
  }

 private:
  ckks::Parameters params_;
  const ckks::PublicKey& key_;
  ckks::Encoder encoder_;
  ring::Randomness randomness_;
};

// Room for rounding in float of a range that is met exactly.
void require_in_range(double x, const plan::ClientPlan& plan, std::size_t image, std::size_t element) {
  const double slack = 1e-6 * (plan.input_high - plan.input_low);
  if (!(x >= plan.input_low - slack && x <= plan.input_high + slack))
    fail_user(
        "encrypt: image {}, element {} is {}, the plan was made for values from {:g} to {:g}; correct the "
        "image or "
        "its scaling, or plan again with --calibrate on such images",
        image, element, std::isnan(x) ? "not a number" : fmt::format("{:g}", x), plan.input_low,
        plan.input_high);
}

// Every pixel, also those that the network never reads and that are not encrypted: an image out of range is
// not the one that was meant.
void require_in_range(const plan::ClientPlan& plan, const BatchImages& images) {
  parallel_for(images.count(), [&](std::size_t j, int) {
    const auto image = images.pixels.subspan(j * images.elements, images.elements);
    for (std::size_t e = 0; e < image.size(); ++e) require_in_range(image[e], plan, images.first + j, e);
  });
}

}  // namespace

BatchImages batch_images(std::span<const float> pixels, std::size_t elements, std::size_t per_batch,
                         std::size_t batch) {
  const auto first = batch * per_batch * elements;
  return {pixels.subspan(first, std::min(per_batch * elements, pixels.size() - first)), elements,
          batch * per_batch};
}

std::size_t chunk_size() {
  return static_cast<std::size_t>(threads()) * 8;
}

SecretBuffer<double> fill_slots(const plan::ClientPlan& plan, const BatchImages& images, std::size_t k) {
  const std::size_t blocks = plan.blocks, places = plan::images_per_batch(plan), given = images.count();
  if (given == 0) fail("a batch of no images was to be encrypted");
  SecretBuffer<double> slots(places * blocks);  // zeros
  const auto* elements = plan.input_order.data() + k * blocks;
  for (std::size_t j = 0; j < places; ++j) {
    const auto* image = images.pixels.data() + j % given * images.elements;
    for (std::size_t p = 0; p < blocks; ++p)
      if (elements[p] != plan::kAbsent) slots[j * blocks + p] = image[elements[p]];
  }
  return slots;
}

ckks::SeededCiphertext encrypt_ciphertext(const plan::ClientPlan& plan, const ckks::Encryptor& encryptor,
                                          const BatchImages& images, std::size_t k) {
  const auto slots = fill_slots(plan, images, k);
  return encryptor.encrypt(slots.span(), plan.input_scale, plan.input_limbs);
}

void encrypt_batch(engine::PackedInput& out, const plan::ClientPlan& plan, const ckks::Parameters& params,
                   const ckks::Encryptor& encryptor, const BatchImages& images, const Progressing& progress) {
  const auto count = out.count();
  require_in_range(plan, images);
  for (std::size_t begin = 0; begin < count; begin += chunk_size()) {
    const auto end = std::min(count, begin + chunk_size());
    parallel_for(end - begin, [&](std::size_t i, int) {
      engine::pack_input(out.record(begin + i), encrypt_ciphertext(plan, encryptor, images, begin + i),
                         params);
    });
    if (progress) progress(static_cast<double>(end) / static_cast<double>(count));
  }
}

std::unique_ptr<RecordEncryptor> secret_encryptor(const ckks::Parameters& params,
                                                  const ckks::SecretKey& secret) {
  return std::make_unique<WithSecret>(params, secret);
}

std::unique_ptr<RecordEncryptor> public_encryptor(const ckks::Parameters& params,
                                                  const ckks::PublicKey& key) {
  return std::make_unique<WithPublic>(params, key);
}

engine::BatchOrigin fresh_origin(const RecordEncryptor& encryptor) {
  return {encryptor.key(), random_batch_id()};
}

void encrypt_images(engine::BatchWriter& writer, const plan::ClientPlan& plan,
                    const RecordEncryptor& encryptor, std::span<const float> pixels, std::size_t elements,
                    const Progressing& progress) {
  const auto per_batch = plan::input_ciphertexts(plan), places = plan::images_per_batch(plan);
  const auto total = engine::batch_count(pixels.size() / elements, plan) * per_batch;
  const auto bytes = writer.sealed_bytes();
  require_in_range(plan, {pixels, elements, 0});
  std::vector<std::uint8_t> chunk;
  for (std::size_t begin = 0; begin < total; begin += chunk_size()) {
    if (progress) progress(static_cast<double>(begin) / static_cast<double>(total));
    const auto end = std::min(total, begin + chunk_size());
    chunk.resize((end - begin) * bytes);
    parallel_for(end - begin, [&](std::size_t i, int) {
      const auto images = batch_images(pixels, elements, places, (begin + i) / per_batch);
      const auto sealed = std::span(chunk).subspan(i * bytes, bytes);
      const auto slots = fill_slots(plan, images, (begin + i) % per_batch);
      encryptor.encrypt(sealed.first(writer.record_bytes()), slots.span(), plan);
      writer.seal(sealed, begin + i);
    });
    writer.append(chunk);
  }
  if (progress) progress(1);
}

void check_outputs(std::span<const double> outputs, const plan::ClientPlan& plan, const std::string& what,
                   std::size_t first_image) {
  constexpr double kNoise = 1.0 / 16;  // of the bound: what noise may add to a result at the bound
  const double most = plan.output_bound * (1 + kNoise);
  const std::size_t width = plan.outputs, images = outputs.size() / width;
  std::vector<std::size_t> beyond;
  double largest = 0;
  for (std::size_t i = 0; i < images; ++i) {
    const auto row = outputs.subspan(i * width, width);
    const bool within = std::ranges::all_of(row, [&](double x) { return std::fabs(x) <= most; });
    if (within) continue;
    beyond.push_back(first_image + i);
    for (const double x : row)
      if (!(std::fabs(x) <= largest)) largest = std::fabs(x);
  }
  if (beyond.empty()) return;
  fail_user(
      "{}: the results of {} of {} images reach {:.3g}, the plan allows for {:.3g}: images {}; an image "
      "unlike those "
      "that the network's ranges were measured on spoils all that are encrypted with it; leave such images "
      "out, or "
      "plan again with --calibrate on images like these",
      what, beyond.size(), images, largest, plan.output_bound, name_images(beyond));
}

std::vector<double> decrypt_batch(const plan::ClientPlan& plan, const ckks::Decryptor& decryptor,
                                  const std::vector<ckks::Ciphertext>& ciphertexts, std::size_t images,
                                  std::size_t first_image) {
  std::vector<double> outputs(images * plan.outputs);
  parallel_for(ciphertexts.size(), [&](std::size_t o, int) {
    std::vector<double> slots(images * plan.blocks);
    decryptor.decrypt(slots, ciphertexts[o].view(), plan.output_scale);
    scatter(outputs, slots, 0, images, plan, o);
  });
  check_outputs(outputs, plan, "decrypt", first_image);
  return outputs;
}

std::vector<double> decrypt_file(const engine::BatchReader& reader, const plan::ClientPlan& plan,
                                 const ckks::Decryptor& decryptor, const Progressing& progress) {
  const auto& params = reader.params();
  const std::size_t total = reader.header().ciphertexts;
  // Grows with what has been read and found whole, not with what the header announces.
  std::vector<double> outputs;
  for (std::size_t begin = 0; begin < total; begin += chunk_size()) {
    if (progress) progress(static_cast<double>(begin) / static_cast<double>(total));
    const auto end = std::min(total, begin + chunk_size());
    const auto batches = (end + reader.elements() - 1) / reader.elements();
    outputs.resize(std::min<std::size_t>(reader.header().images, batches * plan::images_per_batch(plan)) *
                   plan.outputs);
    parallel_for(end - begin, [&](std::size_t i, int) {
      const auto k = begin + i, batch = k / reader.elements();
      ckks::Ciphertext ciphertext(params, plan.output_polys, plan.output_limbs, plan.output_scale);
      engine::unpack_output(ciphertext.view(), reader.read(k), params, reader.path(), k);
      const auto images = reader.images_in(batch);
      std::vector<double> slots(images * plan.blocks);
      decryptor.decrypt(slots, ciphertext.view(), plan.output_scale);
      scatter(outputs, slots, batch * plan::images_per_batch(plan), images, plan, k % reader.elements());
    });
  }
  if (progress) progress(1);
  check_outputs(outputs, plan, reader.path());
  return outputs;
}

}  // namespace velum::session
