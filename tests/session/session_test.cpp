// The public functions, as an application calls them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/temp_folder.h"
#include "base/units.h"
#include "session/support.h"

namespace velum::test {
namespace {

using ::testing::HasSubstr;
using velum::testing::TempFolder;
namespace fs = std::filesystem;

// Planned once: nothing of it changes.
const Plan& small_plan() {
  static const Plan plan = small_model().plan({.images = 0, .threads = 2});
  return plan;
}

// Results keep 12 bits of the outputs' bound, which is a few units at most.
constexpr double kNear = 0.02;

TEST(Session, ABatchGoesThereAndBackInMemory) {
  const auto model = small_model();
  const auto images = drawn_images(5);
  const auto client = Client::create(small_plan().client());
  Server server(small_plan().server(),
                EvaluationKeys::from_bytes(small_plan().server(), client.evaluation_keys()), {.threads = 2});
  const auto batch = client.encrypt(Images::floats(images));
  EXPECT_EQ(batch.size(), client.plan().input_bytes(5));
  EvaluationReport report;
  const auto results = server.evaluate(batch, {}, &report);
  EXPECT_EQ(results.size(), client.plan().output_bytes(5));
  const auto outputs = client.decrypt(results, batch);
  EXPECT_EQ(outputs.images, 5u);
  EXPECT_EQ(outputs.width, 3u);
  const auto clear = model.evaluate(Images::floats(images));
  ASSERT_EQ(outputs.values.size(), clear.size());
  EXPECT_LT(worst_difference(outputs.values, clear), kNear);
  EXPECT_EQ(outputs.batch, report.batch);
  EXPECT_EQ(report.images, 5u);
  EXPECT_EQ(report.threads, 2);
  EXPECT_FALSE(report.steps.empty());
  EXPECT_EQ(nlohmann::json::parse(report.to_json())["layers"].size(), report.steps.size());
  // The classes are those of the clear outputs.
  const auto said = client.plan().decide(outputs.values), expected = client.plan().decide(clear);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(said[i].probability, expected[i].probability, 0.02);
}

TEST(Session, FilesOnDiskAreThoseInMemory) {
  const TempFolder folder;
  small_plan().save(folder / "plan");
  const auto images = drawn_images(3);
  const auto client = Client::create(ClientPlan::load(folder / "plan/client.plan"));
  const auto keys = client.save_keys(folder / "keys");
  struct stat status {};
  ASSERT_EQ(::stat(keys.secret.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(keys.evaluation_bytes, client.plan().evaluation_key_bytes())
      << "the plan's figure is the file's size";
  EXPECT_EQ(fs::file_size(keys.evaluation), keys.evaluation_bytes);
  EXPECT_THAT(refusal([&] { client.save_keys(folder / "keys"); }), HasSubstr("exists"));
  const auto sent = client.encrypt_to_file(Images::floats(images), folder / "batch");
  EXPECT_EQ(fs::file_size(folder / "batch"), sent.bytes);
  EXPECT_EQ(sent.id, client.plan().inspect_file(folder / "batch").id);
  {
    const auto plan = ServerPlan::load(folder / "plan/server.plan");
    Server server(plan, EvaluationKeys::load(plan, keys.evaluation));
    EXPECT_EQ(server.evaluate_file(folder / "batch", folder / "results").batch, sent.id);
  }
  const auto later = Client::load(ClientPlan::load(folder / "plan/client.plan"), keys.secret);
  EXPECT_EQ(later.key_id(), client.key_id());
  const auto outputs = later.decrypt_file(folder / "results", folder / "batch");
  EXPECT_LT(worst_difference(outputs.values, small_model().evaluate(Images::floats(images))), kNear);
}

// A key that is kept elsewhere than in a file: the same bytes, with the same checks.
TEST(Session, TheSecretKeyGoesThereAndBackInMemory) {
  const TempFolder folder;
  const auto client = Client::create(small_plan().client());
  const auto saved = velum::testing::slurp(client.save_keys(folder / "keys").secret);
  auto key = client.secret_key();
  EXPECT_EQ(Bytes(key.bytes().begin(), key.bytes().end()), saved);
  const auto again = Client::from_secret_key(small_plan().client(), key.bytes());
  EXPECT_EQ(again.key_id(), client.key_id());
  EXPECT_TRUE(again.has_secret());
  const auto images = drawn_images(2);
  Server server(small_plan().server(),
                EvaluationKeys::from_bytes(small_plan().server(), client.evaluation_keys()));
  const auto outputs = again.decrypt(server.evaluate(client.encrypt(Images::floats(images))));
  EXPECT_LT(worst_difference(outputs.values, small_model().evaluate(Images::floats(images))), kNear);

  // A caller's own bytes, read from elsewhere.
  SecretBytes own(saved.size());
  EXPECT_EQ(std::ranges::count(own.bytes(), 0), static_cast<std::ptrdiff_t>(saved.size()));
  std::ranges::copy(saved, own.bytes().begin());
  SecretBytes moved(std::move(own));
  EXPECT_EQ(Client::from_secret_key(small_plan().client(), moved.bytes()).key_id(), client.key_id());
  own = std::move(moved);
  EXPECT_EQ(own.bytes().size(), saved.size());
}

TEST(Session, SecretKeysThatAreNoneAreRefused) {
  const auto plan = small_plan().client();
  const auto other = small_model().plan({.threads = 1, .standard_ring = true}).client();
  const auto client = Client::create(plan);
  auto key = client.secret_key();
  const auto refused = [&](const ClientPlan& p, ByteView bytes) {
    return refusal([&] { Client::from_secret_key(p, bytes); });
  };
  EXPECT_THAT(refused(other, key.bytes()),
              HasSubstr("the secret key: this secret key was made under other parameters"));
  EXPECT_THAT(refused(plan, {}), HasSubstr("truncated"));
  EXPECT_THAT(refused(plan, key.bytes().first(key.bytes().size() - 1)), HasSubstr("truncated"));
  EXPECT_THAT(refused(plan, client.evaluation_keys()), HasSubstr("secret key expected"));
  key.bytes()[key.bytes().size() / 2] ^= 4;
  EXPECT_THAT(refused(plan, key.bytes()), HasSubstr("damaged"));
}

// Every form of the same images is the same network input.
TEST(Session, ImagesComeInEveryForm) {
  const auto model = small_model();
  std::vector<std::uint8_t> bytes(2 * kElements), last(2 * kElements);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(11 * i % 256);
  for (std::size_t image = 0; image < 2; ++image)
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t p = 0; p < 4; ++p)
        last[image * kElements + p * 3 + c] = bytes[image * kElements + c * 4 + p];
  std::vector<float> unit, signs;
  for (const auto b : bytes) {
    unit.push_back(static_cast<float>(b) / 255);
    signs.push_back(static_cast<float>(b) / 127.5F - 1);
  }
  const auto expected = model.evaluate(Images::floats(unit));
  EXPECT_LT(worst_difference(model.evaluate(Images::bytes(bytes)), expected), 1e-5);
  EXPECT_LT(worst_difference(model.evaluate(Images::bytes(last, PixelOrder::channels_last)), expected), 1e-5);
  EXPECT_LT(
      worst_difference(model.evaluate(Images::floats(signs, PixelOrder::channels_first, -1, 1)), expected),
      1e-5);
  // And another order is another image.
  EXPECT_GT(worst_difference(model.evaluate(Images::bytes(last)), expected), 1e-3);
}

TEST(Session, WrongImagesAreRefused) {
  const auto client = Client::create(small_plan().client());
  auto images = drawn_images(2);
  EXPECT_THAT(refusal([&] { client.encrypt(Images::floats(std::span(images).first(13))); }),
              HasSubstr("13 values were given, the network takes a whole number of images of 3x2x2 = 12"));
  EXPECT_THAT(refusal([&] { client.encrypt(Images::floats({})); }), HasSubstr("0 values"));
  EXPECT_THAT(refusal([&] { client.encrypt(Images::floats(images, PixelOrder::channels_first, 1, 1)); }),
              HasSubstr("black is 1 and white is 1"));
  images[kElements + 4] = 3;
  EXPECT_THAT(refusal([&] { client.encrypt(Images::floats(images)); }), HasSubstr("image 1, element 4 is 3"));
  // In the clear a network is a function of any values.
  EXPECT_EQ(small_model().evaluate(Images::floats(images)).size(), 2 * 3u);
}

TEST(Session, ForeignFilesAreRefused) {
  const auto images = drawn_images(2);
  const auto mine = Client::create(small_plan().client()), other = Client::create(small_plan().client());
  Server server(small_plan().server(),
                EvaluationKeys::from_bytes(small_plan().server(), mine.evaluation_keys()));
  const auto batch = mine.encrypt(Images::floats(images)), second = mine.encrypt(Images::floats(images));
  EXPECT_NE(batch, second) << "randomness is drawn anew";
  EXPECT_THAT(refusal([&] { server.evaluate(other.encrypt(Images::floats(images))); }),
              HasSubstr("encrypted under key"));
  const auto results = server.evaluate(batch);
  EXPECT_THAT(refusal([&] { other.decrypt(results); }), HasSubstr("encrypted under key"));
  EXPECT_THAT(refusal([&] { mine.decrypt(results, second); }), HasSubstr("answers batch"));
  EXPECT_THAT(refusal([&] { mine.decrypt(batch); }), HasSubstr("encrypted outputs expected"));
  auto damaged = batch;
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_THAT(refusal([&] { server.evaluate(damaged); }), HasSubstr("checksum of ciphertext"));
  damaged = batch;
  damaged.pop_back();
  EXPECT_THAT(refusal([&] { server.evaluate(damaged); }), HasSubstr("truncated"));
  EXPECT_EQ(server.evaluate(batch).size(), results.size()) << "and the server goes on";
}

// A monitor that ends the call at its n-th question.
struct Ender {
  int questions = 0, last = 0;
  double share = 0;
  bool falls = false;
  Monitor monitor() {
    return {[this](double s) {
              falls = falls || s < share;
              share = s;
            },
            [this] { return last > 0 && ++questions >= last; }};
  }
};

TEST(Session, ProgressNeverFallsAndEndsAtOne) {
  const auto images = drawn_images(4);
  const auto expect_whole = [](const Ender& e) {
    EXPECT_FALSE(e.falls);
    EXPECT_EQ(e.share, 1);
  };
  Ender plan, keys, encrypt, evaluate, decrypt;
  small_model().plan({.threads = 1}, plan.monitor());
  expect_whole(plan);
  const auto client = Client::create(small_plan().client());
  const auto evaluation = client.evaluation_keys(keys.monitor());
  expect_whole(keys);
  const auto batch = client.encrypt(Images::floats(images), encrypt.monitor());
  expect_whole(encrypt);
  Server server(small_plan().server(), EvaluationKeys::from_bytes(small_plan().server(), evaluation));
  const auto results = server.evaluate(batch, evaluate.monitor());
  expect_whole(evaluate);
  client.decrypt(results, {}, decrypt.monitor());
  expect_whole(decrypt);
}

TEST(Session, EveryLongCallCanBeCancelledAndRepeated) {
  const TempFolder folder;
  const auto images = drawn_images(4);
  const auto expect_cancelled = [](const auto& call, int last) {
    Ender ender{.last = last};
    EXPECT_THAT(refusal([&] { call(ender.monitor()); }, ErrorKind::cancelled), HasSubstr("cancelled"));
    EXPECT_EQ(ender.questions, last) << "not asked again";
  };
  const auto client = Client::create(small_plan().client());
  Server server(small_plan().server(),
                EvaluationKeys::from_bytes(small_plan().server(), client.evaluation_keys()));
  const auto batch = client.encrypt(Images::floats(images));
  const auto results = server.evaluate(batch);
  for (const int last : {1, 2}) {
    expect_cancelled([](const Monitor& m) { small_model().plan({.threads = 1}, m); }, last);
    expect_cancelled(
        [&](const Monitor& m) { client.encrypt_to_file(Images::floats(images), folder / "batch", m); }, last);
    expect_cancelled([&](const Monitor& m) { server.evaluate(batch, m); }, last);
  }
  expect_cancelled([&](const Monitor& m) { client.save_keys(folder / "keys", {}, m); }, 1);
  expect_cancelled([&](const Monitor& m) { client.decrypt(results, {}, m); }, 1);
  EXPECT_TRUE(fs::is_empty(folder / "")) << "nothing half-done stays";
  // The server's memory is as it was before.
  const auto again = client.decrypt(server.evaluate(batch)), before = client.decrypt(results);
  EXPECT_EQ(again.values, before.values);
}

TEST(Session, ARunIsComparedWithTheClearNetwork) {
  const auto images = drawn_images(6);
  const std::vector<std::int32_t> labels = {0, 1, 2, 0, 1, 2};
  const auto r = run(small_model(), small_plan(), Images::floats(images), {.labels = labels, .threads = 2});
  EXPECT_EQ(r.images, 6u);
  EXPECT_LT(worst_difference(r.outputs, r.clear), kNear);
  EXPECT_NEAR(r.largest_error, worst_difference(r.outputs, r.clear), 1e-12);
  ASSERT_TRUE(r.accuracy);
  EXPECT_GE(r.predicted_bits, 12);
  EXPECT_EQ(nlohmann::json::parse(r.to_json())["images"], 6);
  EXPECT_THAT(refusal([&] {
                run(small_model(), small_plan(), Images::floats(images),
                    {.labels = std::span(labels).first(2)});
              }),
              HasSubstr("2 labels of 6 images"));
}

TEST(Session, ANetworkSaysWhatItIs) {
  const auto info = small_model().inspect();
  EXPECT_EQ(info.input_shape, (std::vector<std::int64_t>{3, 2, 2}));
  EXPECT_EQ(info.output_shape, (std::vector<std::int64_t>{3}));
  EXPECT_TRUE(info.obstacles.empty());
  EXPECT_EQ(info.layers.size(), 4u);
  const auto all = small_model().frontier({.images = 4, .threads = 1});
  EXPECT_GE(all.size(), 2u);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_LE(all[i - 1].seconds, all[i].seconds);
}

// A server's first call touches new memory, however many batches it has, and later ones do not.
TEST(Session, AServersFirstCallSaysThatItIs) {
  const auto plan = small_model().plan({.images = 4, .threads = 1, .packing = Packing::blocks, .blocks = 16});
  const auto client = Client::create(plan.client());
  Server server(plan.server(), EvaluationKeys::from_bytes(plan.server(), client.evaluation_keys()),
                {.threads = 1});
  const auto places = plan.client().images_per_batch();
  const auto many = drawn_images(places + 1), one = drawn_images(1);
  EvaluationReport first, later;
  server.evaluate(client.encrypt(Images::floats(many)), {}, &first);
  server.evaluate(client.encrypt(Images::floats(one)), {}, &later);
  EXPECT_EQ(first.batches, 2u);
  EXPECT_TRUE(first.first_run);
  EXPECT_EQ(nlohmann::json::parse(first.to_json())["first_run"], true);
  const auto slots = plan.client().parameters().slots;
  EXPECT_THAT(first.summary(),
              HasSubstr(format_count(16 * (places + 1)) + " of " + format_count(2 * slots) +
                        " slots used, 16 an image; a first run, which touches new memory\n"));
  EXPECT_EQ(later.batches, 1u);
  EXPECT_FALSE(later.first_run);
  EXPECT_EQ(nlohmann::json::parse(later.to_json())["first_run"], false);
  EXPECT_THAT(later.summary(), HasSubstr("16 of " + format_count(slots) + " slots used, 16 an image\n"));
}

// Everything that a server refers to may go before it.
TEST(Session, ObjectsOwnWhatTheyReferTo) {
  std::optional<Server> server;
  std::optional<Client> client;
  Bytes batch;
  {
    const auto plan = small_model().plan({.threads = 1});
    client.emplace(Client::create(plan.client()));
    auto moved = Client(std::move(*client));
    client.emplace(std::move(moved));
    server.emplace(plan.server(), EvaluationKeys::from_bytes(plan.server(), client->evaluation_keys()));
    const auto images = drawn_images(1);
    batch = client->encrypt(Images::floats(images));
  }
  Server last(std::move(*server));
  server.reset();
  EXPECT_LT(worst_difference(client->decrypt(last.evaluate(batch)).values,
                             small_model().evaluate(Images::floats(drawn_images(1)))),
            kNear);
}

}  // namespace
}  // namespace velum::test
