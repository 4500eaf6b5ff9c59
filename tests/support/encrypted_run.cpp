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
  const auto secret = ckks::SecretKey::generate(params);
  const auto keys = ckks::generate_keys(params, secret, plan.client.keys);

  const ckks::Encryptor encryptor(params, secret);
  std::vector<ckks::SeededCiphertext> inputs;
  std::vector<double> slots(count);
  for (const auto e : plan.client.input_order) {
    for (std::size_t i = 0; i < count; ++i) slots[i] = static_cast<double>(images[i * elements + e]);
    inputs.push_back(encryptor.encrypt(slots, plan.client.input_scale, plan.client.input_limbs));
  }

  const engine::Engine engine(plan, params, keys);
  run.ciphertexts = engine.run(engine::MemoryInput(inputs, params), &run.report);

  const ckks::Decryptor decryptor(params, secret);
  const std::size_t outputs = run.ciphertexts.size();
  run.outputs.resize(count * outputs);
  std::vector<double> values(params.slots());
  for (std::size_t o = 0; o < outputs; ++o) {
    decryptor.decrypt(values, run.ciphertexts[o].view(), run.ciphertexts[o].scale());
    for (std::size_t i = 0; i < count; ++i) run.outputs[i * outputs + o] = values[i];
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
