// Batches smaller than the slots: what the unused slots hold must not touch the others.
#include "cli/client_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "cli/local_run.h"
#include "model/execute.h"
#include "plan/passes.h"
#include "support/encrypted_run.h"
#include "support/graphs.h"

namespace velum::cli {
namespace {

constexpr std::size_t kElements = 8, kImages = 3;

// Three images near 0.9, of a network that is made for such: (x - 0.9) * 40 and two quadratics send an image
// of zeros far out of its ranges.
std::vector<float> bright_images() {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> pixel(0.85F, 0.95F);
  std::vector<float> images(kImages * kElements);
  for (auto& x : images) x = pixel(random);
  return images;
}

model::Graph network_for(const std::vector<float>& images) {
  test::GraphBuilder b({kElements});
  const auto centred = b.node(b.input(), model::ScaleShift{{{}, {40}}, {{}, {-36}}});
  const auto first = b.quadratic(b.dense(centred, kElements, 6), {6});
  auto graph = b.finish(b.dense(b.quadratic(b.dense(first, 6, 4), {4}), 4, 2));
  model::calibrate(graph, images, kImages, 0.5);
  return graph;
}

plan::Request request() {
  auto r = test::tiny_request(10);
  r.precision_bits = 7;
  return r;
}

TEST(ClientBatch, UnusedSlotsDoNotTouchTheOthers) {
  const auto images = bright_images();
  const auto graph = network_for(images);
  const auto planned = plan::make_plan(graph, request());
  const LocalSession session(planned.plan);
  ASSERT_LT(kImages, session.params().slots());
  const auto result = run_locally(session, images, kElements);
  const auto clear = model::execute(graph, images, kImages);
  ASSERT_EQ(result.outputs.size(), clear.size());
  for (std::size_t i = 0; i < clear.size(); ++i)
    EXPECT_NEAR(result.outputs[i], clear[i], planned.plan.client.output_bound / 32) << "output " << i;
}

TEST(ClientBatch, SlotsHoldTheImagesOverAndOver) {
  const auto images = bright_images();
  const auto planned = plan::make_plan(network_for(images), request());
  const auto& client = planned.plan.client;
  const LocalSession session(planned.plan);
  const auto& params = session.params();
  const ckks::Encryptor encryptor(params, session.secret());
  const ckks::Decryptor decryptor(params, session.secret());
  const BatchImages batch{images, kElements};
  for (std::size_t k = 0; k < client.input_order.size(); ++k) {
    const auto sealed = encrypt_element(client, encryptor, batch, params.slots(), k);
    ckks::Ciphertext ciphertext(params, 2, client.input_limbs, client.input_scale);
    ckks::expand(ciphertext.view(), sealed, params);
    std::vector<double> slots(params.slots());
    decryptor.decrypt(slots, ciphertext.view(), client.input_scale);
    for (std::size_t j = 0; j < slots.size(); ++j)
      ASSERT_NEAR(slots[j], images[j % kImages * kElements + client.input_order[k]], 1e-2) << "slot " << j;
  }
}

}  // namespace
}  // namespace velum::cli
