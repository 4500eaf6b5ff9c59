// Every command refuses bad input with one line, the right exit code, and nothing left behind.
#include <gtest/gtest.h>

#include <limits>

#include "cli/command.h"
#include "model/onnx.h"

namespace velum::test {
namespace {

class BadInput : public ::testing::Test {
 protected:
  // `line` must fail with `code`, one line on stderr that holds `says`, and leave the folder as it was.
  void refuses(const std::string& line, int code, const std::string& says) {
    const auto before = w.files();
    const auto outcome = w.run(line);
    EXPECT_EQ(outcome.code, code) << line << "\n" << outcome.err;
    EXPECT_EQ(lines(outcome.err).size(), 1u) << line << "\n" << outcome.err;
    EXPECT_EQ(outcome.err.rfind("velum", 0), 0u) << outcome.err;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << line << "\n" << outcome.err;
    EXPECT_EQ(w.files(), before) << line;
  }
  // Copies of a file with its last bytes cut, a bit flipped at `at`, and bytes behind its end.
  void spoil(const std::string& file, std::size_t at) {
    const auto good = w.read(file);
    ASSERT_GT(good.size(), at);
    w.write("short", good.substr(0, good.size() - 5));
    auto flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    w.write("flipped", flipped);
    w.write("long", good + "more");
    w.write("empty", "");
  }
  // `line` with FILE replaced by each of the spoiled copies.
  void refuses_spoiled(const std::string& line, const std::string& file, std::size_t at) {
    spoil(file, at);
    for (const std::string bad : {"short", "flipped", "long", "empty"}) {
      auto with = line;
      with.replace(with.find("FILE"), 4, bad);
      refuses(with, 2, bad);
    }
  }
  void prepare() {
    w.plan();
    w.keygen();
    w.encrypt();
    w.infer();
  }

  Workplace w;
  const std::string infer = "velum infer --plan plan/server.plan --keys keys/public/eval.keys ";
  const std::string encrypt = "velum encrypt --plan plan/client.plan --key keys/secret/secret.key ";
  const std::string decrypt = "velum decrypt --plan plan/client.plan --key keys/secret/secret.key ";
};

TEST_F(BadInput, OptionsAreChecked) {
  refuses("velum frobnicate", 2, "frobnicate");
  refuses("velum plan", 2, "--help");
  refuses("velum plan model.onnx --security 100", 2, "--security");
  refuses("velum run model.onnx --data digits --split later", 2, "--split");
  refuses("velum infer", 2, "--plan");
  refuses("velum plan model.onnx --memory lots", 2, "--memory");
}

TEST_F(BadInput, MissingAndForeignFiles) {
  refuses("velum plan nothing.onnx", 2, "nothing.onnx");
  refuses("velum plan images.npy", 2, "images.npy");
  refuses("velum keygen --plan model.onnx --out k", 2, "model.onnx");
  refuses("velum inspect nothing", 2, "nothing");
  refuses("velum run model.onnx --data stars:x", 2, "stars");
  refuses("velum run model.onnx --data npy:nothing.npy", 2, "nothing.npy");
  refuses("velum eval model.onnx --data npy:images.npy", 2, "labels");
}

TEST_F(BadInput, FilesOfAnotherKind) {
  prepare();
  refuses("velum keygen --plan plan/server.plan --out k", 2, "server plan");
  refuses("velum infer --plan plan/client.plan --keys keys/public/eval.keys --in batch.vct --out o", 2,
          "client plan");
  refuses("velum infer --plan plan/server.plan --keys keys/secret/secret.key --in batch.vct --out o", 2,
          "secret key");
  refuses(infer + "--in logits.vct --out o", 2, "encrypted outputs");
  refuses(infer + "--in model.onnx --out o", 2, "model.onnx");
  refuses(decrypt + "--in batch.vct --out o", 2, "encrypted inputs");
  refuses("velum encrypt --plan plan/client.plan --key keys/public/eval.keys " + kData + " --out o", 2,
          "evaluation keys");
}

TEST_F(BadInput, DamagedFiles) {
  prepare();
  refuses_spoiled(infer + "--in FILE --out o", "batch.vct", 5000);
  refuses_spoiled(infer + "--in FILE --out o", "batch.vct", 70);
  refuses_spoiled(decrypt + "--in FILE --out o", "logits.vct", 5000);
  refuses_spoiled("velum infer --plan FILE --keys keys/public/eval.keys --in batch.vct --out o",
                  "plan/server.plan", 300);
  refuses_spoiled("velum infer --plan plan/server.plan --keys FILE --in batch.vct --out o",
                  "keys/public/eval.keys", 300);
  refuses_spoiled("velum keygen --plan FILE --out k", "plan/client.plan", 60);
  refuses_spoiled("velum decrypt --plan plan/client.plan --key FILE --in logits.vct --out o",
                  "keys/secret/secret.key", 300);
}

TEST_F(BadInput, OtherKeysAndOtherPlans) {
  prepare();
  w.must("velum keygen --plan plan/client.plan --out other/");
  refuses("velum infer --plan plan/server.plan --keys other/public/eval.keys --in batch.vct --out o", 2,
          "key");
  refuses("velum decrypt --plan plan/client.plan --key other/secret/secret.key --in logits.vct --out o", 2,
          "key");
  w.must("velum plan model.onnx --security 256 --out plan2/");
  w.must("velum keygen --plan plan2/client.plan --out keys2/");
  refuses("velum infer --plan plan2/server.plan --keys keys2/public/eval.keys --in batch.vct --out o", 2,
          "parameters");
  refuses("velum encrypt --plan plan2/client.plan --key keys/secret/secret.key " + kData + " --out o", 2,
          "parameters");
  refuses("velum infer --plan plan/server.plan --keys keys2/public/eval.keys --in batch.vct --out o", 2,
          "parameters");
}

TEST_F(BadInput, ImagesThatDoNotFit) {
  w.plan();
  w.keygen();
  auto images = w.images();
  images[37] = std::numeric_limits<float>::quiet_NaN();
  w.write("nan.npy", npy_floats(images, {Workplace::kImages, 1, 4, 4}));
  refuses(encrypt + "--data npy:nan.npy --out o", 2, "image 2");
  images[37] = 17;
  w.write("bright.npy", npy_floats(images, {Workplace::kImages, 1, 4, 4}));
  refuses(encrypt + "--data npy:bright.npy --out o", 2, "image");
  refuses("velum run model.onnx --data npy:bright.npy --json o", 2, "image");
  w.write("wide.npy", npy_floats(w.images(), {Workplace::kImages / 2, 1, 4, 8}));
  refuses(encrypt + "--data npy:wide.npy --out o", 2, "wide.npy");
}

TEST_F(BadInput, ResultsWithAnotherNumberOfLabels) {
  prepare();
  refuses(decrypt + "--in logits.vct --out o --images 3 " + kData, 2, "3 images");
}

TEST_F(BadInput, NetworksThatCannotBeEncrypted) {
  auto graph = w.graph();
  graph.nodes.insert(graph.nodes.end() - 1,
                     {"sharp", model::Relu{}, {graph.nodes[graph.nodes.size() - 2].output}, "sharp_out", {}});
  graph.nodes.back().inputs = {"sharp_out"};
  model::infer_shapes(graph);
  model::save_onnx(graph, w.folder() + "/relu.onnx");
  refuses("velum plan relu.onnx --out p", 2, "sharp");
  refuses("velum run relu.onnx " + kData, 2, "velum train");
}

TEST_F(BadInput, PlacesThatCannotBeWritten) {
  prepare();
  refuses(encrypt + kData + " --out nowhere/batch.vct", 2, "nowhere");
  refuses(encrypt + kData + " --out keys", 2, "folder");
  refuses(decrypt + "--in logits.vct --out nowhere/p.csv", 2, "nowhere");
  refuses("velum run model.onnx " + kData + " --json nowhere/o.json", 2, "nowhere");
  refuses("velum plan model.onnx --out model.onnx/plan", 1, "model.onnx");
}

TEST_F(BadInput, AFullDisk) {
  prepare();
  // A limit on the size of files stands in for the disk. The signal that comes with it is ignored.
  const std::string full = "trap '' XFSZ; ulimit -f 16; ";
  refuses(full + encrypt + kData + " --out full.vct", 1, "full.vct");
  refuses(full + infer + "--in batch.vct --out full.vct", 1, "full.vct");
}

TEST_F(BadInput, TooLittleMemory) {
  prepare();
  refuses(infer + "--in batch.vct --out o --memory 2MiB", 1, "2.1 MB");
}

}  // namespace
}  // namespace velum::test
