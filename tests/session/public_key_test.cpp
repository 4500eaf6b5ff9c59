// Encryption without the secret key, as a plan promises it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/temp_folder.h"
#include "session/support.h"

namespace velum::test {
namespace {

using ::testing::HasSubstr;
using velum::testing::TempFolder;

double bits_kept(std::span<const double> clear, std::span<const double> outputs, double bound) {
  double squares = 0;
  for (std::size_t i = 0; i < clear.size(); ++i) squares += std::pow(clear[i] - outputs[i], 2);
  return -std::log2(std::sqrt(squares / static_cast<double>(clear.size())) / bound);
}

TEST(PublicKey, EncryptsForItsOwnerAsPreciselyAsPromised) {
  const TempFolder folder;
  const auto model = small_model();
  const auto plan = model.plan({.threads = 2, .public_key = true});
  EXPECT_GE(plan.precision_bits(), 12);
  ASSERT_TRUE(plan.client().public_key());
  const auto owner = Client::create(plan.client());
  const auto files = owner.save_keys(folder / "keys", {.public_key = true});
  EXPECT_EQ(files.public_bytes, plan.client().public_key_bytes());
  EXPECT_EQ(std::filesystem::file_size(files.public_key), files.public_bytes);

  const auto sender = Client::load_public(plan.client(), files.public_key);
  EXPECT_FALSE(sender.has_secret());
  EXPECT_EQ(sender.key_id(), owner.key_id());
  const auto images = drawn_images(200);
  const auto batch = sender.encrypt(Images::floats(images));
  EXPECT_EQ(batch.size(), plan.client().input_bytes(200, true));
  EXPECT_GT(static_cast<double>(batch.size()), 1.9 * static_cast<double>(plan.client().input_bytes(200)));
  EXPECT_TRUE(plan.client().inspect(batch).public_key);

  Server server(plan.server(), EvaluationKeys::load(plan.server(), files.evaluation));
  const auto outputs = owner.decrypt(server.evaluate(batch), batch);
  const auto clear = model.evaluate(Images::floats(images));
  // The largest output stands for the bound, which is larger: what is measured is less than what was
  // promised.
  double largest = 0;
  for (const double x : clear) largest = std::max(largest, std::abs(x));
  EXPECT_GE(bits_kept(clear, outputs.values, 1.25 * largest), plan.precision_bits() - 1);

  // The owner's own encryption is better, and works under the same plan.
  const auto own = owner.decrypt(server.evaluate(owner.encrypt(Images::floats(images))));
  EXPECT_GE(bits_kept(clear, own.values, largest), bits_kept(clear, outputs.values, largest) - 0.1);

  // The public key does nothing else.
  EXPECT_THAT(refusal([&] { sender.decrypt(server.evaluate(batch)); }),
              HasSubstr("encrypts and does nothing else"));
  EXPECT_THAT(refusal([&] { sender.evaluation_keys(); }), HasSubstr("encrypts and does nothing else"));
  EXPECT_THAT(refusal([&] { sender.secret_key(); }), HasSubstr("encrypts and does nothing else"));
  EXPECT_THAT(refusal([&] { sender.save_keys(folder / "more"); }),
              HasSubstr("encrypts and does nothing else"));
  // One that stays behind would be of other keys than those beside it.
  EXPECT_THAT(refusal([&] { owner.save_keys(folder / "keys", {.replace = true}); }),
              HasSubstr("belongs to the keys that are replaced"));
}

TEST(PublicKey, WhereThePlanDoesNotAllowForItNothingIsEncrypted) {
  const auto model = small_model();
  const auto with = model.plan({.threads = 1, .public_key = true}), without = model.plan({.threads = 1});
  EXPECT_FALSE(without.client().public_key());
  EXPECT_NE(with.client().id(), without.client().id());
  const auto owner = Client::create(without.client());
  EXPECT_THAT(refusal([&] { owner.public_key(); }), HasSubstr("plan again with --public-key"));
  EXPECT_THAT(
      refusal([&] { Client::from_public_key(without.client(), Client::create(with.client()).public_key()); }),
      HasSubstr("plan again with --public-key"));
}

TEST(PublicKey, DamagedKeysAreRefused) {
  const auto plan = small_model().plan({.threads = 1, .public_key = true});
  auto key = Client::create(plan.client()).public_key();
  EXPECT_TRUE(Client::from_public_key(plan.client(), key).key_id().size() == 32);
  key[key.size() / 2] ^= 4;
  EXPECT_THAT(refusal([&] { Client::from_public_key(plan.client(), key); }), HasSubstr("the public key"));
}

}  // namespace
}  // namespace velum::test
