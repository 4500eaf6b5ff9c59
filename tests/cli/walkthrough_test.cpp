// The client's and the server's commands, one after the other.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/units.h"
#include "cli/command.h"
#include "model/execute.h"

namespace velum::test {
namespace {

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> all;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) all.push_back(cell);
  return all;
}

TEST(Walkthrough, PredictionsEqualTheClearNetwork) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  w.infer();
  w.must(
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out "
      "predictions.csv");

  const auto clear = model::execute(w.graph(), w.images(), Workplace::kImages);
  const auto rows = lines(w.read("predictions.csv"));
  ASSERT_EQ(rows.size(), Workplace::kImages + 1);
  EXPECT_EQ(rows[0], "index,predicted,true,class,probability,output_0,output_1,output_2");
  for (std::size_t i = 0; i < Workplace::kImages; ++i) {
    const auto row = cells(rows[i + 1]);
    ASSERT_EQ(row.size(), 5 + Workplace::kOutputs);
    EXPECT_EQ(row[0], std::to_string(i));
    EXPECT_EQ(row[2], "");  // nobody said what the images are
    for (std::size_t o = 0; o < Workplace::kOutputs; ++o)
      EXPECT_NEAR(std::stod(row[5 + o]), clear[i * Workplace::kOutputs + o], 0.02);
  }
}

TEST(Walkthrough, KnownLabelsAreAddedAndCompared) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  w.infer();
  w.must(
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out p.csv --json "
      "d.json " +
      kData);
  const auto rows = lines(w.read("p.csv"));
  std::size_t right = 0;
  for (std::size_t i = 0; i < Workplace::kImages; ++i) {
    const auto row = cells(rows[i + 1]);
    EXPECT_EQ(row[2], std::to_string(w.labels()[i]));
    right += row[1] == row[2];
  }
  const auto json = nlohmann::json::parse(w.read("d.json"));
  EXPECT_DOUBLE_EQ(json["quality"]["accuracy"].get<double>(),
                   static_cast<double>(right) / static_cast<double>(Workplace::kImages));
}

// What the plan says that the keys take is what they take, with rotations and without.
TEST(Walkthrough, ThePlansKeysHaveTheSizeOfTheFile) {
  const Workplace w;
  for (const std::string packing : {"--packing batch", "--packing blocks --batch 4"}) {
    w.must("velum plan model.onnx " + packing + " --out plan --json plan.json");
    w.must("velum keygen --plan plan/client.plan --out keys --force --json keys.json");
    const auto plan = nlohmann::json::parse(w.read("plan.json"));
    const auto bytes = w.read("keys/public/eval.keys").size();
    EXPECT_EQ(plan["keys"]["bytes"].get<std::size_t>(), bytes) << packing;
    EXPECT_EQ(nlohmann::json::parse(w.read("keys.json"))["bytes"]["eval_keys"].get<std::size_t>(), bytes);
    const auto& options = plan["packings"];
    EXPECT_TRUE(std::ranges::any_of(options, [&](const auto& o) { return o["key_bytes"] == bytes; }))
        << options;
  }
}

// What another machine can do with the public key alone, and the plan's word on what it costs.
TEST(Walkthrough, APublicKeyEncryptsForItsOwner) {
  const Workplace w;
  const auto plan = w.must("velum plan model.onnx --public-key --out plan --json plan.json");
  EXPECT_NE(plan.out.find("public key  "), std::string::npos) << plan.out;
  w.must("velum keygen --plan plan/client.plan --out keys --public-key --json keys.json");
  w.must("mkdir sender && cp plan/client.plan keys/public/public.key images.npy sender");
  w.must(
      "cd sender && velum encrypt --plan client.plan --public-key public.key --data npy:images.npy --out "
      "../batch.vct");
  w.infer();
  w.must(
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --sent batch.vct "
      "--out "
      "p.csv");
  const auto clear = model::execute(w.graph(), w.images(), Workplace::kImages);
  const auto rows = lines(w.read("p.csv"));
  ASSERT_EQ(rows.size(), Workplace::kImages + 1);
  for (std::size_t i = 0; i < Workplace::kImages; ++i)
    for (std::size_t o = 0; o < Workplace::kOutputs; ++o)
      EXPECT_NEAR(std::stod(cells(rows[i + 1])[5 + o]), clear[i * Workplace::kOutputs + o], 0.02);

  const auto priced = nlohmann::json::parse(w.read("plan.json")),
             made = nlohmann::json::parse(w.read("keys.json"));
  EXPECT_EQ(priced["public_key"]["bytes"], made["bytes"]["public_key"])
      << "the plan's figure is the file's size";
  EXPECT_EQ(made["bytes"]["public_key"].get<std::size_t>(), w.read("keys/public/public.key").size());
  EXPECT_DOUBLE_EQ(priced["public_key"]["input_bytes_per_image"].get<double>(),
                   2 * priced["input"]["bytes_per_image"].get<double>());
  EXPECT_NE(w.must("velum inspect batch.vct").out.find("inputs encrypted with a public key"),
            std::string::npos);
  EXPECT_NE(w.must("velum inspect keys/public/public.key").out.find("public key"), std::string::npos);
}

TEST(Walkthrough, PublicKeysThatDoNotFitAreRefused) {
  const Workplace w;
  w.plan();
  const auto refused = [&](const std::string& line, const std::string& text) {
    const auto r = w.run(line);
    EXPECT_EQ(r.code, 2) << line;
    EXPECT_NE(r.err.find(text), std::string::npos) << r.err;
  };
  refused("velum keygen --plan plan/client.plan --out keys --public-key", "plan again with --public-key");
  EXPECT_FALSE(w.exists("keys"));
  w.keygen();
  refused("velum encrypt --plan plan/client.plan " + kData + " --out batch.vct", "give either --key");
  w.must(
      "velum plan model.onnx --public-key --out other && velum keygen --plan other/client.plan --out theirs "
      "--public-key");
  refused("velum encrypt --plan plan/client.plan --public-key theirs/public/public.key " + kData +
              " --out batch.vct",
          "plan again with --public-key");
  refused("velum encrypt --plan other/client.plan --public-key keys/public/eval.keys " + kData +
              " --out batch.vct",
          "evaluation keys");
  refused(
      "velum encrypt --plan other/client.plan --key theirs/secret/secret.key --public-key "
      "theirs/public/public.key " +
          kData + " --out batch.vct",
      "two keys");
}

TEST(Walkthrough, MoreImagesThanSlotsAreSplit) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.must("velum encrypt --plan plan/client.plan --key keys/secret/secret.key " + kData +
         " --out one.vct --json one.json");
  const auto slots = nlohmann::json::parse(w.read("one.json"))["slots"].get<std::size_t>();
  const std::size_t images = slots + 3;
  std::vector<float> many(images * 16);
  for (std::size_t i = 0; i < images; ++i)
    for (std::size_t e = 0; e < 16; ++e) many[i * 16 + e] = w.images()[i % Workplace::kImages * 16 + e];
  w.write("images.npy", npy_floats(many, {images, 1, 4, 4}));
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data npy:images.npy --out "
      "batch.vct "
      "--json e.json");
  EXPECT_EQ(nlohmann::json::parse(w.read("e.json"))["batches"], 2);
  w.infer();
  w.must("velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out p.csv");
  const auto rows = lines(w.read("p.csv"));
  ASSERT_EQ(rows.size(), images + 1);
  const auto clear = model::execute(w.graph(), many, images);
  for (const std::size_t i : {std::size_t{0}, slots - 1, slots, slots + 2})
    for (std::size_t o = 0; o < Workplace::kOutputs; ++o)
      EXPECT_NEAR(std::stod(cells(rows[i + 1])[5 + o]), clear[i * Workplace::kOutputs + o], 0.02) << i;
}

TEST(Walkthrough, TheSecretKeyIsPrivateAndIsNeverOverwrittenSilently) {
  const Workplace w;
  w.plan();
  w.keygen();
  struct stat s {};
  ASSERT_EQ(::stat((w.folder() + "/keys/secret/secret.key").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  const auto secret = w.read("keys/secret/secret.key"), keys = w.read("keys/public/eval.keys");
  const auto again = w.run("velum keygen --plan plan/client.plan --out keys/");
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.err.find("--force"), std::string::npos) << again.err;
  EXPECT_EQ(w.read("keys/secret/secret.key"), secret);
  EXPECT_EQ(w.read("keys/public/eval.keys"), keys);
  w.must("velum keygen --plan plan/client.plan --out keys/ --force");
  EXPECT_NE(w.read("keys/secret/secret.key"), secret);
}

TEST(Walkthrough, OutputDoesNotDependOnTheNumberOfThreads) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  const std::string infer = "velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct";
  w.must(infer + " --threads 1 --out one.vct");
  w.must(infer + " --threads 2 --out two.vct");
  EXPECT_EQ(w.read("one.vct"), w.read("two.vct"));
}

// What one asks first stands first; the table of steps is for who asks.
TEST(Walkthrough, TheServerSaysFirstWhatOneAsks) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  const std::string infer =
      "velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct --out logits.vct";
  const auto plain = w.must(infer + " --json i.json").out;
  const auto said = lines(plain);
  ASSERT_EQ(said.size(), 6u) << plain;
  const std::array<std::string, 6> names = {"results ", "time ",  "memory ",
                                            "places ",  "sizes ", "other times "};
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_TRUE(said[i].starts_with(names[i])) << said[i];
  for (const std::size_t i : {1u, 2u}) EXPECT_NE(said[i].find(" predicted"), std::string::npos) << said[i];
  EXPECT_NE(said[1].find(" ms an image, "), std::string::npos) << said[1];
  const auto json = nlohmann::json::parse(w.read("i.json"));
  const auto slots = json["slots"].get<std::size_t>();
  EXPECT_EQ(json["images_per_batch"], slots);
  EXPECT_EQ(said[3], fmt::format("places       {} of {} slots used; a first run, which touches new memory",
                                 Workplace::kImages, format_count(slots)));
  EXPECT_GT(json["predicted_seconds"].get<double>(), 0);
  EXPECT_GT(json["planned_peak_bytes"].get<double>(), 0);
  // The same with the table behind it, a row for each of the layers.
  const auto verbose = w.must(infer + " --verbose").out;
  const auto table = verbose.find("\nlayer ");
  ASSERT_NE(table, std::string::npos) << verbose;
  EXPECT_GT(table, verbose.find("other times "));
  for (const auto& layer : json["layers"])
    EXPECT_NE(verbose.find(fmt::format("\n{} ", layer["name"].get<std::string>()), table), std::string::npos)
        << layer;
}

// One client, one key, the same number of images: two batches, and an answer to each.
TEST(Walkthrough, ResultsNameTheBatchThatTheyAnswer) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  w.infer();
  const auto sent =
      nlohmann::json::parse((w.must("velum inspect batch.vct --json i.json"), w.read("i.json")))["batch"]
          .get<std::string>();
  ASSERT_EQ(sent.size(), 32u);
  const auto told =
      w.must("velum encrypt --plan plan/client.plan --key keys/secret/secret.key --out other.vct " + kData);
  const std::string decrypt =
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --out p.csv";
  const auto good = w.must("head -c 124 batch.vct >head.vct; " + decrypt + " --sent head.vct --json d.json");
  EXPECT_NE(good.out.find("of batch " + sent.substr(0, 12)), std::string::npos) << good.out;
  EXPECT_EQ(nlohmann::json::parse(w.read("d.json"))["batch"], sent);
  w.must("rm p.csv");
  const auto bad = w.run(decrypt + " --sent other.vct");
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(lines(bad.err).size(), 1u) << bad.err;
  EXPECT_NE(bad.err.find("answers batch " + sent.substr(0, 12)), std::string::npos) << bad.err;
  EXPECT_FALSE(w.exists("p.csv"));
  // The other one has a name of its own, which encryption prints.
  const auto name = bad.err.find("is batch ");
  ASSERT_NE(name, std::string::npos) << bad.err;
  const auto other = bad.err.substr(name + 9, 12);
  EXPECT_NE(other, sent.substr(0, 12));
  EXPECT_NE(told.out.find("batch " + other), std::string::npos) << told.out;
}

TEST(Walkthrough, EveryFileCanBeInspected) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  w.infer();
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"model.onnx", "network"},
      {"plan/client.plan", "client plan"},
      {"plan/server.plan", "server plan"},
      {"keys/secret/secret.key", "secret key"},
      {"keys/public/eval.keys", "evaluation keys"},
      {"batch.vct", "encrypted inputs"},
      {"logits.vct", "encrypted outputs"}};
  for (const auto& [file, type] : expected) {
    const auto outcome = w.must("velum inspect " + file + " --json i.json");
    EXPECT_NE(outcome.out.find(type), std::string::npos) << file << "\n" << outcome.out;
    EXPECT_EQ(nlohmann::json::parse(w.read("i.json"))["type"], type) << file;
  }
}

}  // namespace
}  // namespace velum::test
