// The client's and the server's commands, one after the other.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <sstream>

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
  w.must("velum decrypt --plan plan/client.plan --key keys/secret.key --in logits.vct --out predictions.csv");

  const auto clear = model::execute(w.graph(), w.images(), Workplace::kImages);
  const auto rows = lines(w.read("predictions.csv"));
  ASSERT_EQ(rows.size(), Workplace::kImages + 1);
  EXPECT_EQ(rows[0], "index,predicted,true,output_0,output_1,output_2");
  for (std::size_t i = 0; i < Workplace::kImages; ++i) {
    const auto row = cells(rows[i + 1]);
    ASSERT_EQ(row.size(), 3 + Workplace::kOutputs);
    EXPECT_EQ(row[0], std::to_string(i));
    EXPECT_EQ(row[2], "");  // nobody said what the images are
    for (std::size_t o = 0; o < Workplace::kOutputs; ++o)
      EXPECT_NEAR(std::stod(row[3 + o]), clear[i * Workplace::kOutputs + o], 0.02);
  }
}

TEST(Walkthrough, KnownLabelsAreAddedAndCompared) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  w.infer();
  w.must(
      "velum decrypt --plan plan/client.plan --key keys/secret.key --in logits.vct --out p.csv --json "
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

TEST(Walkthrough, MoreImagesThanSlotsAreSplit) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.must("velum encrypt --plan plan/client.plan --key keys/secret.key " + kData +
         " --out one.vct --json one.json");
  const auto slots = nlohmann::json::parse(w.read("one.json"))["slots"].get<std::size_t>();
  const std::size_t images = slots + 3;
  std::vector<float> many(images * 16);
  for (std::size_t i = 0; i < images; ++i)
    for (std::size_t e = 0; e < 16; ++e) many[i * 16 + e] = w.images()[i % Workplace::kImages * 16 + e];
  w.write("images.npy", npy_floats(many, {images, 1, 4, 4}));
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret.key --data npy:images.npy --out batch.vct "
      "--json e.json");
  EXPECT_EQ(nlohmann::json::parse(w.read("e.json"))["batches"], 2);
  w.infer();
  w.must("velum decrypt --plan plan/client.plan --key keys/secret.key --in logits.vct --out p.csv");
  const auto rows = lines(w.read("p.csv"));
  ASSERT_EQ(rows.size(), images + 1);
  const auto clear = model::execute(w.graph(), many, images);
  for (const std::size_t i : {std::size_t{0}, slots - 1, slots, slots + 2})
    for (std::size_t o = 0; o < Workplace::kOutputs; ++o)
      EXPECT_NEAR(std::stod(cells(rows[i + 1])[3 + o]), clear[i * Workplace::kOutputs + o], 0.02) << i;
}

TEST(Walkthrough, TheSecretKeyIsPrivateAndIsNeverOverwrittenSilently) {
  const Workplace w;
  w.plan();
  w.keygen();
  struct stat s {};
  ASSERT_EQ(::stat((w.folder() + "/keys/secret.key").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0600u);
  const auto secret = w.read("keys/secret.key"), keys = w.read("keys/eval.keys");
  const auto again = w.run("velum keygen --plan plan/client.plan --out keys/");
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.err.find("--force"), std::string::npos) << again.err;
  EXPECT_EQ(w.read("keys/secret.key"), secret);
  EXPECT_EQ(w.read("keys/eval.keys"), keys);
  w.must("velum keygen --plan plan/client.plan --out keys/ --force");
  EXPECT_NE(w.read("keys/secret.key"), secret);
}

TEST(Walkthrough, OutputDoesNotDependOnTheNumberOfThreads) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  const std::string infer = "velum infer --plan plan/server.plan --keys keys/eval.keys --in batch.vct";
  w.must(infer + " --threads 1 --out one.vct");
  w.must(infer + " --threads 2 --out two.vct");
  EXPECT_EQ(w.read("one.vct"), w.read("two.vct"));
}

TEST(Walkthrough, EveryFileCanBeInspected) {
  const Workplace w;
  w.plan();
  w.keygen();
  w.encrypt();
  w.infer();
  const std::vector<std::pair<std::string, std::string>> expected = {{"model.onnx", "network"},
                                                                     {"plan/client.plan", "client plan"},
                                                                     {"plan/server.plan", "server plan"},
                                                                     {"keys/secret.key", "secret key"},
                                                                     {"keys/eval.keys", "evaluation keys"},
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
