#include "support/encrypted_run.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "ckks/client/client.h"
#include "engine/clear.h"
#include "model/execute.h"

namespace velum::test {

plan::Request tiny_request(int log_n) {
  plan::Request r;
  r.security = ckks::Security::none;
  r.min_log_n = log_n;
  r.max_log_n = 10;
  r.memory_bytes = std::uint64_t{4} << 30;
  r.threads = 2;
  r.precision_bits = 11;
  return r;
}

EncryptedRun run_encrypted(model::Graph graph, const plan::Request& request, std::size_t count,
                           unsigned seed) {
  EncryptedRun run;
  std::mt19937 random(seed);
  const auto elements = static_cast<std::size_t>(model::element_count(graph.input_shape));
  std::uniform_real_distribution<float> pixel(static_cast<float>(graph.input_range.low),
                                              static_cast<float>(graph.input_range.high));
  std::vector<float> images(count * elements);
  for (auto& p : images) p = pixel(random);
  model::calibrate(graph, images, count, 0.25);

  run.planned = plan::make_plan(graph, request);
  const auto& plan = run.planned.plan;
  plan::verify_plan(plan);
  const ckks::Parameters params(plan.client.params);
  const auto secret = ckks::SecretKey::generate(params, ring::Randomness::system());
  const auto keys = ckks::generate_keys(params, secret, plan.client.keys, ring::Randomness::system());

  const ckks::Encryptor encryptor(params, secret, ring::Randomness::system());
  std::vector<ckks::SeededCiphertext> inputs;
  const auto& client = plan.client;
  const std::size_t blocks = client.blocks;
  std::vector<double> slots(count * blocks);
  for (std::size_t c = 0; c < plan::input_ciphertexts(client); ++c) {
    for (std::size_t j = 0; j < slots.size(); ++j) {
      const auto e = client.input_order[c * blocks + j % blocks];
      slots[j] = e == plan::kAbsent ? 0 : static_cast<double>(images[j / blocks * elements + e]);
    }
    inputs.push_back(encryptor.encrypt(slots, client.input_scale, client.input_limbs));
  }

  const engine::Engine engine(plan, params, keys);
  run.ciphertexts = engine.run(engine::MemoryInput(inputs, params), &run.report);

  const ckks::Decryptor decryptor(params, secret);
  run.outputs.resize(count * client.outputs);
  for (std::size_t c = 0; c < run.ciphertexts.size(); ++c) {
    decryptor.decrypt(slots, run.ciphertexts[c].view(), run.ciphertexts[c].scale());
    for (std::size_t j = 0; j < slots.size(); ++j) {
      const auto o = client.output_order[c * blocks + j % blocks];
      if (o != plan::kAbsent) run.outputs[j / blocks * client.outputs + o] = slots[j];
    }
  }
  run.expected = model::execute(graph, images, count);
  run.quantised = engine::run_clear_batch(plan, images, count);
  double largest = 0, worst = 0, noise = 0;
  for (std::size_t i = 0; i < run.expected.size(); ++i) {
    largest = std::max(largest, std::fabs(run.expected[i]));
    worst = std::max(worst, std::fabs(run.expected[i] - run.outputs[i]));
    noise = std::max(noise, std::fabs(run.quantised[i] - run.outputs[i]));
  }
  run.worst_error = worst / largest;
  run.worst_noise = noise / largest;
  return run;
}

}  // namespace velum::test
