// Whoever has the network: planning with every choice, runs and their reports, descriptions of files.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/temp_folder.h"
#include "session/support.h"

namespace velum::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using velum::testing::TempFolder;

TEST(Local, ARunIsProbedAndMakesAPage) {
  const auto model = small_model();
  const auto plan = model.plan({.images = 6, .threads = 1});
  const auto images = drawn_images(6);
  const std::vector<std::int32_t> labels = {0, 1, 2, 0, 1, 2};
  std::vector<std::string> stages;
  Monitor monitor;
  monitor.stage = [&](const std::string& stage, double, const std::string&) {
    if (stages.empty() || stages.back() != stage) stages.push_back(stage);
  };
  const auto r = run(model, plan, Images::floats(images),
                     {.labels = labels, .threads = 1, .probe = true, .activations = true}, monitor);
  EXPECT_EQ(stages, (std::vector<std::string>{"making keys", "encrypting", "evaluating"}));
  EXPECT_TRUE(r.problem.empty()) << r.problem;
  EXPECT_GT(r.kept_bits, r.predicted_bits - 3);
  EXPECT_GT(r.predicted_seconds, 0);
  ASSERT_FALSE(r.evaluation.steps.empty());
  EXPECT_GT(r.evaluation.steps.back().precision_bits, 6);
  EXPECT_EQ(r.activations.size(), 1u);

  const auto page =
      r.to_html({.title = "A <run>", .subtitle = "of six", .facts = {{"command", "x & y"}}, .notes = {}});
  for (const auto* what :
       {"<h1>A &lt;run&gt;</h1>", "Confusion matrix, encrypted and clear", "Precision by layer",
        "Time by step", "x &amp; y", "ms predicted", "Activations", " slots used", ", in 1 batch"})
    EXPECT_THAT(page, HasSubstr(what));
  const auto json = nlohmann::json::parse(r.to_json(1.5));
  EXPECT_EQ(json["seconds"]["plan"], 1.5);
  EXPECT_EQ(json["bytes"]["eval_keys"], plan.client().evaluation_key_bytes());
  EXPECT_TRUE(json["layers"].back().contains("precision_bits"));
  EXPECT_EQ(json["macro_f1_encrypted"], r.macro_f1.value());
  EXPECT_GT(r.macro_f1_clear.value(), 0);
  EXPECT_THAT(r.to_text(), HasSubstr("accuracy"));
  EXPECT_THAT(r.to_text(), HasSubstr("; a first run, which touches new memory"));
  EXPECT_EQ(json["first_run"], true);

  const auto bare = run(model, plan, Images::floats(images), {.threads = 1});
  EXPECT_EQ(bare.evaluation.steps.back().precision_bits, 0);
  EXPECT_FALSE(bare.accuracy);
  EXPECT_FALSE(bare.macro_f1);
  const auto short_page = bare.to_html({});
  EXPECT_THAT(short_page, Not(HasSubstr("Confusion matrix")));
  EXPECT_THAT(short_page, Not(HasSubstr("Precision by layer")));
}

// Predictions are for the threads that ran, also where the plan was made for others.
TEST(Local, PredictionsAreForTheThreadsOfTheRun) {
  const auto model = small_model();
  const auto plan = model.plan({.images = 6, .threads = 2});
  const auto images = drawn_images(6);
  const auto r = run(model, plan, Images::floats(images), {.threads = 1});
  const double planned = plan.server().predicted_seconds();  // of a batch, with two threads
  ASSERT_GT(planned, 0);
  EXPECT_DOUBLE_EQ(r.predicted_seconds, planned);
  EXPECT_DOUBLE_EQ(r.evaluation.predicted_seconds, 2 * planned);
  EXPECT_DOUBLE_EQ(nlohmann::json::parse(r.to_json())["predicted_seconds"].get<double>(), 2 * planned);
  // The page takes the steps off it, whose seconds are those of one thread: the rest is for reading the
  // input.
  double steps = 0;
  for (const auto& s : r.evaluation.steps) steps += s.predicted_seconds_one_thread;
  EXPECT_GE(r.evaluation.predicted_seconds, 0.999 * steps);
  EXPECT_THAT(r.to_html({}), HasSubstr(fmt::format("{:.3g} ms predicted", 1e3 * 2 * planned / 6)));
}

// Values far outside the ranges that the layers were measured on: the report says so.
TEST(Local, ARunThatIsNotToBeTrustedSaysSo) {
  const std::vector<float> grey(4 * kElements, 0.5F);
  const auto narrow = small_model().calibrated(Images::floats(grey), 0.25);
  const auto plan = narrow.plan({.images = 2, .threads = 1});
  EXPECT_TRUE(run(narrow, plan, Images::floats(grey), {.threads = 1}).problem.empty());
  const auto images = drawn_images(4);
  std::string said;
  try {
    said = run(narrow, plan, Images::floats(images), {.threads = 1}).problem;
  } catch (const Error& e) {
    said = e.what();
  }
  EXPECT_FALSE(said.empty());
}

TEST(Local, PlansTakeEveryChoiceOfTheCommand) {
  const auto model = small_model();
  const auto blocks = model.plan({.images = 4, .threads = 1, .packing = Packing::blocks, .blocks = 16});
  EXPECT_THAT(blocks.details(), HasSubstr("16 blocks a ciphertext"));
  const auto batch = model.plan({.images = 4, .threads = 1, .packing = Packing::batch});
  EXPECT_THAT(batch.details(), Not(HasSubstr("blocks a ciphertext")));
  const auto standard = model.plan({.threads = 1, .standard_ring = true});
  EXPECT_EQ(standard.client().parameters().ring, "standard");
  EXPECT_EQ(2 * standard.client().parameters().slots, standard.client().parameters().ring_dimension);
  auto form = model.inspect().form;
  form.classes = {"owl", "cat", "dog"};
  EXPECT_EQ(model.plan({.threads = 1, .form = form}).client().classes(), form.classes);
  EXPECT_THAT(batch.to_text(), HasSubstr("predicted for 4 images"));
  EXPECT_THAT(batch.explanation(), HasSubstr("because"));
  EXPECT_THAT(refusal([&] { model.plan({.threads = 1, .rates = "/nowhere/rates.json"}); }),
              HasSubstr("/nowhere/rates.json"));
}

// The weights of the encrypted network, without its noise.
TEST(Local, APlanIsEvaluatedInDoubles) {
  const auto model = small_model();
  const auto plan = model.plan({.threads = 1});
  EXPECT_THAT(refusal([&] { plan.evaluate(Images::floats({})); }), HasSubstr("0 values"));
  const auto some = drawn_images(5);
  const auto quantised = plan.evaluate(Images::floats(some)), clear = model.evaluate(Images::floats(some));
  ASSERT_EQ(quantised.size(), clear.size());
  const auto difference = worst_difference(quantised, clear);
  EXPECT_LT(difference, 0.01);
  EXPECT_GT(difference, 0);
}

TEST(Local, AFileSaysWhatItIs) {
  const TempFolder folder;
  const auto plan = small_model().plan({.threads = 1});
  plan.save(folder / "plan");
  const auto client = Client::create(plan.client());
  client.save_keys(folder / "keys");
  const auto images = drawn_images(2);
  const auto info = client.encrypt_to_file(Images::floats(images), folder / "batch.vct");
  const auto d = describe_file(folder / "plan/server.plan");
  EXPECT_EQ(d.type, "server plan");
  EXPECT_EQ(d.outputs, 3u);
  ASSERT_TRUE(d.form);
  EXPECT_THAT(d.table, HasSubstr("total"));
  EXPECT_EQ(nlohmann::json::parse(d.json)["plan"], plan.client().id());
  EXPECT_EQ(describe_file(folder / "keys/secret/secret.key").type, "secret key");
  const auto batch = describe_file(folder / "batch.vct");
  EXPECT_EQ(nlohmann::json::parse(batch.json)["batch"], info.id);
  EXPECT_FALSE(batch.form);
  const std::string text = "no such thing";
  folder.write("other", velum::testing::Bytes(text.begin(), text.end()));
  EXPECT_THAT(refusal([&] { describe_file(folder / "other"); }), HasSubstr("other"));
}

}  // namespace
}  // namespace velum::test
