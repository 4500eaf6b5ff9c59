#include "cli/client_batch.h"

#include <algorithm>

#include "base/parallel.h"

namespace velum::cli {

namespace {

// values[image] of output `o` into outputs[image][o].
void scatter(std::vector<double>& outputs, std::span<const double> values, std::size_t first_image,
             std::size_t images, std::size_t o, std::size_t width) {
  for (std::size_t j = 0; j < images; ++j) outputs[(first_image + j) * width + o] = values[j];
}

}  // namespace

BatchImages batch_images(std::span<const float> pixels, std::size_t elements, std::size_t slots,
                         std::size_t batch) {
  const auto first = batch * slots * elements;
  return {pixels.subspan(first, std::min(slots * elements, pixels.size() - first)), elements};
}

std::size_t chunk_size() {
  return static_cast<std::size_t>(threads()) * 8;
}

ckks::SeededCiphertext encrypt_element(const plan::ClientPlan& plan, const ckks::Encryptor& encryptor,
                                       const BatchImages& images, std::size_t slots, std::size_t k) {
  SecretBuffer<double> values(slots);
  const auto element = plan.input_order[k];
  for (std::size_t j = 0; j < slots; ++j)
    values[j] = images.pixels[j % images.count() * images.elements + element];
  return encryptor.encrypt(values.span(), plan.input_scale, plan.input_limbs);
}

void encrypt_batch(engine::PackedInput& out, const plan::ClientPlan& plan, const ckks::Parameters& params,
                   const ckks::Encryptor& encryptor, const BatchImages& images, const Progressing& progress) {
  const auto count = plan.input_order.size();
  for (std::size_t begin = 0; begin < count; begin += chunk_size()) {
    const auto end = std::min(count, begin + chunk_size());
    parallel_for(end - begin, [&](std::size_t i, int) {
      engine::pack_input(out.record(begin + i),
                         encrypt_element(plan, encryptor, images, params.slots(), begin + i), params);
    });
    if (progress) progress(static_cast<double>(end) / static_cast<double>(count));
  }
}

std::uint64_t encrypt_to_file(const std::string& path, const plan::ClientPlan& plan,
                              const ckks::Parameters& params, const ckks::SecretKey& secret,
                              std::span<const float> pixels, std::size_t elements,
                              const Progressing& progress) {
  const ckks::Encryptor encryptor(params, secret);
  engine::BatchWriter writer(path, plan, params, FileType::input_batch, secret.id(),
                             pixels.size() / elements);
  const auto per_batch = plan.input_order.size();
  const auto total = engine::batch_count(pixels.size() / elements, params) * per_batch;
  const auto bytes = writer.sealed_bytes();
  std::vector<std::uint8_t> chunk;
  for (std::size_t begin = 0; begin < total; begin += chunk_size()) {
    const auto end = std::min(total, begin + chunk_size());
    chunk.resize((end - begin) * bytes);
    parallel_for(end - begin, [&](std::size_t i, int) {
      const auto images = batch_images(pixels, elements, params.slots(), (begin + i) / per_batch);
      const auto sealed = std::span(chunk).subspan(i * bytes, bytes);
      engine::pack_input(sealed.first(writer.record_bytes()),
                         encrypt_element(plan, encryptor, images, params.slots(), (begin + i) % per_batch),
                         params);
      writer.seal(sealed, begin + i);
    });
    writer.append(chunk);
    if (progress) progress(static_cast<double>(end) / static_cast<double>(total));
  }
  writer.commit();
  return engine::kBatchHeaderBytes + total * bytes;
}

std::vector<double> decrypt_batch(const plan::ClientPlan& plan, const ckks::Decryptor& decryptor,
                                  const std::vector<ckks::Ciphertext>& ciphertexts, std::size_t images) {
  std::vector<double> outputs(images * ciphertexts.size());
  parallel_for(ciphertexts.size(), [&](std::size_t o, int) {
    std::vector<double> values(images);
    decryptor.decrypt(values, ciphertexts[o].view(), plan.output_scale);
    scatter(outputs, values, 0, images, o, ciphertexts.size());
  });
  return outputs;
}

std::vector<double> decrypt_file(const engine::BatchReader& reader, const plan::ClientPlan& plan,
                                 const ckks::Decryptor& decryptor, const Progressing& progress) {
  const auto& params = reader.params();
  const std::size_t total = reader.header().ciphertexts;
  std::vector<double> outputs(std::size_t{reader.header().images} * plan.outputs);
  for (std::size_t begin = 0; begin < total; begin += chunk_size()) {
    const auto end = std::min(total, begin + chunk_size());
    parallel_for(end - begin, [&](std::size_t i, int) {
      const auto k = begin + i, batch = k / plan.outputs;
      ckks::Ciphertext ciphertext(params, plan.output_polys, plan.output_limbs, plan.output_scale);
      engine::unpack_output(ciphertext.view(), reader.read(k), params, reader.path(), k);
      std::vector<double> values(reader.images_in(batch));
      decryptor.decrypt(values, ciphertext.view(), plan.output_scale);
      scatter(outputs, values, batch * params.slots(), values.size(), k % plan.outputs, plan.outputs);
    });
    if (progress) progress(static_cast<double>(end) / static_cast<double>(total));
  }
  return outputs;
}

}  // namespace velum::cli
