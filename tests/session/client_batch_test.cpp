// Batches smaller than the slots: what the unused slots hold must not touch the others.
#include "session/client_batch.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <random>

#include "base/error.h"
#include "engine/batch_file.h"
#include "model/execute.h"
#include "plan/passes.h"
#include "ring/primes.h"
#include "session/local_run.h"
#include "support/encrypted_run.h"
#include "support/graphs.h"
#include "system/file.h"
#include "system/memory.h"

namespace velum::session {
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
  const ckks::Encryptor encryptor(params, session.secret(), ring::Randomness::system());
  const ckks::Decryptor decryptor(params, session.secret());
  const BatchImages batch{images, kElements};
  for (std::size_t k = 0; k < client.input_order.size(); ++k) {
    const auto sealed = encrypt_ciphertext(client, encryptor, batch, k);
    ckks::Ciphertext ciphertext(params, 2, client.input_limbs, client.input_scale);
    ckks::expand(ciphertext.view(), sealed, params);
    std::vector<double> slots(params.slots());
    decryptor.decrypt(slots, ciphertext.view(), client.input_scale);
    for (std::size_t j = 0; j < slots.size(); ++j)
      ASSERT_NEAR(slots[j], images[j % kImages * kElements + client.input_order[k]], 1e-2) << "slot " << j;
  }
}

// A client's plan of 4 blocks: 6 elements in two ciphertexts, one of them twice; three outputs in two
// ciphertexts.
plan::ClientPlan blocked_client() {
  plan::ClientPlan p;
  p.params.n = 64;
  p.params.security = ckks::Security::none;
  const auto order = ring::root_order(p.params.ring, p.params.n);
  for (const double target : {0x1p40, 0x1p41})
    p.params.moduli.push_back(ring::prime_near(target, order, p.params.moduli));
  p.blocks = 4;
  p.input_shape = {6};
  p.input_scale = 0x1p25;
  p.input_limbs = 2;
  p.input_order = {5, 0, plan::kAbsent, 1, 2, 3, 4, 5};
  p.outputs = 3;
  p.output_order = {plan::kAbsent, 2, 0, plan::kAbsent, 1, plan::kAbsent, plan::kAbsent, plan::kAbsent};
  p.output_scale = 0x1p25;
  p.output_limbs = 2;
  p.output_polys = 2;
  p.output_bound = 100;
  return p;
}

TEST(ClientBatch, BlocksHoldTheElementsOfTheirImage) {
  const auto client = blocked_client();
  const ckks::Parameters params(client.params);
  const auto secret = ckks::SecretKey::generate(params, ring::Randomness::system());
  ASSERT_EQ(plan::images_per_batch(client), 16u);
  std::vector<float> images(5 * 6);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i) / 32;
  for (std::size_t k = 0; k < 2; ++k) {
    const auto sealed = encrypt_ciphertext(
        client, ckks::Encryptor(params, secret, ring::Randomness::system()), {images, 6}, k);
    ckks::Ciphertext ciphertext(params, 2, 2, client.input_scale);
    ckks::expand(ciphertext.view(), sealed, params);
    std::vector<double> slots(64);
    ckks::Decryptor(params, secret).decrypt(slots, ciphertext.view(), client.input_scale);
    for (std::size_t j = 0; j < 64; ++j) {
      const auto element = client.input_order[k * 4 + j % 4];
      const double expected = element == plan::kAbsent ? 0 : images[j / 4 % 5 * 6 + element];
      ASSERT_NEAR(slots[j], expected, 1e-3) << "ciphertext " << k << " slot " << j;
    }
  }
}

TEST(ClientBatch, OutputsAreReadFromTheirBlocks) {
  const auto client = blocked_client();
  const ckks::Parameters params(client.params);
  const auto secret = ckks::SecretKey::generate(params, ring::Randomness::system());
  std::vector<ckks::Ciphertext> ciphertexts;
  for (std::size_t o = 0; o < 2; ++o) {
    std::vector<double> slots(64);
    for (std::size_t j = 0; j < 64; ++j) slots[j] = static_cast<double>(64 * o + j) / 2;
    ciphertexts.emplace_back(params, 2, 2, client.output_scale);
    ckks::expand(
        ciphertexts.back().view(),
        ckks::Encryptor(params, secret, ring::Randomness::system()).encrypt(slots, client.output_scale, 2),
        params);
  }
  const auto outputs = decrypt_batch(client, ckks::Decryptor(params, secret), ciphertexts, 3);
  ASSERT_EQ(outputs.size(), 9u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(outputs[3 * i], (4.0 * static_cast<double>(i) + 2) / 2, 1e-3);
    EXPECT_NEAR(outputs[3 * i + 1], (64 + 4.0 * static_cast<double>(i)) / 2, 1e-3);
    EXPECT_NEAR(outputs[3 * i + 2], (4.0 * static_cast<double>(i) + 1) / 2, 1e-3);
  }
}

// 2^29 images are announced, in a file of the right size without contents: refused at the first ciphertext.
TEST(ClientBatch, MemoryFollowsWhatIsReadAndNotWhatIsAnnounced) {
  const auto planned = plan::make_plan(network_for(bright_images()), request());
  const auto& client = planned.plan.client;
  const LocalSession session(planned.plan);
  const auto path =
      (std::filesystem::temp_directory_path() / fmt::format("velum-many-{}.vct", ::getpid())).string();
  const auto header = engine::make_batch_header(FileType::output_batch, client, session.params(),
                                                {session.secret().id(), {}}, std::size_t{1} << 29);
  write_file_atomically(path, std::span<const std::uint8_t>(engine::write_batch_header(header)));
  std::filesystem::resize_file(path, header.file_bytes);
  const engine::BatchReader reader(path, FileType::output_batch, client, session.params());
  reset_peak_rss();
  const auto before = peak_rss_bytes();
  try {
    decrypt_file(reader, client, ckks::Decryptor(session.params(), session.secret()), {});
    ADD_FAILURE() << "zeros were taken for ciphertexts";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("checksum of ciphertext"), std::string::npos) << e.what();
  }
  EXPECT_LT(peak_rss_bytes(), before + (std::uint64_t{256} << 20));
  std::filesystem::remove(path);
}

// What the callable throws, or nothing.
template <typename Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::user);
    return e.what();
  }
  return {};
}

TEST(ClientBatch, ValuesOutsideThePlansRangeAreNotEncrypted) {
  auto images = bright_images();
  const auto planned = plan::make_plan(network_for(images), request());
  const auto& client = planned.plan.client;
  const LocalSession session(planned.plan);
  const ckks::Encryptor encryptor(session.params(), session.secret(), ring::Randomness::system());
  const auto encrypt_all = [&] {
    engine::PackedInput out(client, session.params());
    encrypt_batch(out, client, session.params(), encryptor, {images, kElements, 40});
  };
  EXPECT_EQ(refusal(encrypt_all), "");
  for (const float bad : {1.25F, -0.125F, std::nanf("")}) {
    images[2 * kElements + 5] = bad;
    EXPECT_NE(refusal(encrypt_all).find("image 42, element 5"), std::string::npos) << bad;
  }
}

// An image that is out of range where the network does not look is not the one that was meant.
TEST(ClientBatch, PixelsThatAreNotSentAreCheckedToo) {
  test::GraphBuilder b({kElements});
  auto l = model::Linear{};
  l.shape = {2};
  l.row_begin = {0, 2, 4};
  l.columns = {0, 2, 1, 6};
  l.weights = {1, -0.5F, 0.25F, 1};
  l.bias = {0, 0};
  auto graph = b.finish(b.dense(b.quadratic(b.node(b.input(), l), {2}), 2, 2));
  std::vector<float> images = bright_images();
  model::calibrate(graph, images, kImages, 0.5);
  const auto planned = plan::make_plan(graph, request());
  EXPECT_EQ(planned.plan.client.input_order, (plan::Layout{0, 1, 2, 6}));
  const LocalSession session(planned.plan);
  const auto clear = model::execute(graph, images, kImages);
  const auto result = run_locally(session, images, kElements);
  for (std::size_t i = 0; i < clear.size(); ++i)
    EXPECT_NEAR(result.outputs[i], clear[i], planned.plan.client.output_bound / 32) << "output " << i;
  images[kElements + 5] = 2;
  EXPECT_NE(refusal([&] { run_locally(session, images, kElements); }).find("image 1, element 5 is 2"),
            std::string::npos);
}

TEST(ClientBatch, ResultsBeyondThePlansBoundAreRefusedByName) {
  plan::ClientPlan plan;
  plan.outputs = 2;
  plan.output_bound = 5;
  const std::vector<double> good = {5, -5, 0, 1, 2, 3};
  EXPECT_EQ(refusal([&] { check_outputs(good, plan, "logits.vct"); }), "");
  for (const double bad : {5.4, -1e9, std::nan(""), std::numeric_limits<double>::infinity()}) {
    auto outputs = good;
    outputs[3] = bad;
    const auto text = refusal([&] { check_outputs(outputs, plan, "logits.vct", 10); });
    EXPECT_NE(text.find("logits.vct: the results of 1 of 3 images"), std::string::npos) << text;
    EXPECT_NE(text.find("images 11;"), std::string::npos) << text;
  }
  const auto text = refusal([&] { check_outputs(std::vector<double>(60, 9), plan, "logits.vct"); });
  EXPECT_NE(text.find("images 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 20 more"), std::string::npos) << text;
}

// One image far outside the network's ranges, though each of its pixels is within the input's.
TEST(ClientBatch, AnImageOutsideTheRangesIsNoSilentGarbage) {
  auto images = bright_images();
  const auto planned = plan::make_plan(network_for(images), request());
  const LocalSession session(planned.plan);
  images.insert(images.end(), kElements, 0.0F);
  const auto text = refusal([&] { run_locally(session, images, kElements); });
  EXPECT_NE(text.find("spoils all"), std::string::npos) << text;
}

// Images at the very edges of what the ranges allow for share their ciphertexts with ordinary ones and harm
// none: the planner's moduli hold every slot at its bound, and a coefficient is an average of slots.
class Edges : public ::testing::TestWithParam<plan::Packing> {};

TEST_P(Edges, HarmNobody) {
  std::mt19937 random(8);
  std::uniform_real_distribution<float> pixel(0.4F, 0.6F);
  std::vector<float> images, ordinary;
  for (unsigned corner = 0; corner < 1U << kElements; ++corner) {
    for (std::size_t e = 0; e < kElements; ++e) images.push_back(static_cast<float>((corner >> e) & 1));
    if (corner % 12 != 0) continue;
    for (std::size_t e = 0; e < kElements; ++e) ordinary.push_back(pixel(random));
    images.insert(images.end(), ordinary.end() - kElements, ordinary.end());
  }
  const auto count = images.size() / kElements;
  test::GraphBuilder b({kElements});
  const auto first = b.quadratic(b.dense(b.input(), kElements, 6), {6});
  auto graph = b.finish(b.dense(b.quadratic(b.dense(first, 6, 4), {4}), 4, 2));
  model::calibrate(graph, images, count, 0);  // no margin: the corners reach the bounds
  auto asked = request();
  asked.packing = GetParam();
  if (asked.packing == plan::Packing::blocks) asked.blocks = 8;
  const auto planned = plan::make_plan(graph, asked);
  EXPECT_EQ(planned.plan.client.blocks, asked.packing == plan::Packing::blocks ? 8u : 1u);
  const LocalSession session(planned.plan);
  const auto result = run_locally(session, images, kElements);
  const auto clear = model::execute(graph, images, count);
  const double noise = 8 * planned.plan.values[planned.plan.output_value].error_rms;
  for (std::size_t i = 0; i < clear.size(); ++i)
    EXPECT_NEAR(result.outputs[i], clear[i], noise) << "output " << i;
  // The ordinary ones as they are among themselves.
  const auto alone = run_locally(session, ordinary, kElements);
  for (std::size_t i = 0, corner = 0, at = 0; i < ordinary.size() / kElements; ++i, corner += 12) {
    at = corner + i + 1;  // behind its corner, and all before
    for (std::size_t o = 0; o < 2; ++o)
      EXPECT_NEAR(result.outputs[2 * at + o], alone.outputs[2 * i + o], noise) << "image " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, Edges, ::testing::Values(plan::Packing::batch, plan::Packing::blocks),
                         [](const auto& i) { return i.param == plan::Packing::blocks ? "blocks" : "batch"; });

}  // namespace
}  // namespace velum::session
