// The files that commands write: looked at before the work, and nothing of value is destroyed by them.
#include <algorithm>
#include <filesystem>

#include "cli/ends.h"

namespace velum::test {
namespace {

namespace fs = std::filesystem;

class Targets : public Ends {};

TEST_F(Targets, LinksAndDevicesStayWhatTheyAre) {
  prepare();
  w.must("mkdir real; touch real/p.csv; ln -s real/p.csv link.csv; ln -s /dev/null null.csv");
  w.must(decrypt + "--out link.csv --json null.csv");
  EXPECT_TRUE(fs::is_symlink(path("link.csv")));
  EXPECT_TRUE(fs::is_symlink(path("null.csv")));
  EXPECT_EQ(w.read("real/p.csv").rfind("index,", 0), 0u);
  // What /dev/stdout is; a link of the test's own, since a fault here replaces it, and this may run as root.
  w.must("ln -s /proc/self/fd/1 stdout");
  const auto both = w.must(decrypt + "--out stdout --json /dev/null");
  EXPECT_TRUE(fs::is_symlink(path("stdout")));
  EXPECT_EQ(both.out.rfind("index,", 0), 0u) << both.out;
  EXPECT_NE(both.out.find("predictions for"), std::string::npos) << both.out;
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_EQ(
      w.must(decrypt + "--out p.csv --json >(cat >piped.json); sleep 0.2; cat piped.json").out.find("{") !=
          std::string::npos,
      true);
  const auto full = w.run(decrypt + "--out /dev/full");
  EXPECT_EQ(full.code, 1);
  EXPECT_NE(full.err.find("/dev/full: writing failed: No space left"), std::string::npos) << full.err;
}

// Whatever is wrong with a target is found before the work, which would be lost.
TEST_F(Targets, TargetsAreLookedAtFirst) {
  prepare();
  w.must("ln -s a b; ln -s b a");
  const std::string longer(256, 'f');
  for (const std::string option : {"--json", "--out", "--html"}) {
    refuses("velum run model.onnx " + kData + " " + option + " nowhere/x", 2, "nowhere");
    refuses("velum run model.onnx " + kData + " " + option + " keys", 2, "is a folder");
    refuses("velum run model.onnx " + kData + " " + option + " a", 2, "circle");
    refuses("velum run model.onnx " + kData + " " + option + " " + longer, 2, "too long");
  }
  refuses("velum plan model.onnx --out model.onnx", 1, "in the way");
  refuses("velum keygen --plan plan/client.plan --out model.onnx/a/b", 1, "cannot be made");
  refuses("velum plan nothing.onnx --out some/folders/deep", 2, "nothing.onnx");
}

TEST_F(Targets, TheLongestNamesAreWritten) {
  prepare();
  const std::string name(251, 'f');
  w.must(decrypt + "--out " + name + ".csv");
  EXPECT_TRUE(w.exists(name + ".csv"));
}

TEST_F(Targets, AnOutputIsNeverAnInputOrAnotherOutput) {
  prepare();
  w.must("ln keys/secret/secret.key hard.key; ln -s plan link; mkdir -p images/cat; touch images/cat/1.png");
  refuses(decrypt + "--out p.csv --json keys/secret/secret.key", 2, "--key");
  refuses(decrypt + "--out hard.key", 2, "--key");
  refuses(decrypt + "--out logits.vct", 2, "--in");
  refuses(decrypt + "--out x --json ./x", 2, "--out");
  refuses(infer + "--out link/server.plan", 2, "--plan");
  refuses(encrypt + "--out labels.npy", 2, "--data");
  refuses("velum eval model.onnx " + kData + " --html images.npy", 2, "--data");
  refuses("velum eval model.onnx --data folder:images --html images/cat/1.png", 2, "--data");
  refuses("velum run model.onnx " + kData + " --out model.onnx", 2, "network");
  refuses("velum inspect plan/client.plan --json plan/client.plan", 2, "FILE");
  refuses("velum keygen --plan plan/client.plan --out k --json k/public/eval.keys", 2, "--out");
  refuses("velum plan plan/client.plan --out plan", 2, "network");
  // Nor is a key that the command does not read.
  refuses("velum plan model.onnx --json keys/secret/secret.key", 2, "holds a secret key");
}

// What is there as keys, plans or batches is replaced by files of its own kind alone.
TEST_F(Targets, FilesOfOtherKindsAreNotReplaced) {
  prepare();
  w.must(
      "velum plan model.onnx --public-key --out open; velum keygen --plan open/client.plan --out p "
      "--public-key");
  w.must("mkdir k; cp keys/*/* plan/* *.vct p/public/public.key k; chmod 644 k/*; ln -s k/eval.keys link");
  struct Writer {
    std::string command;
    std::vector<std::string> own;  // kinds that it replaces
  };
  const std::vector<Writer> writers = {
      {encrypt + "--out ", {"batch.vct"}},
      {infer + "--out ", {"logits.vct"}},
      {decrypt + "--out ", {}},
      {decrypt + "--out x --json ", {}},
      {encrypt + "--out x --json ", {}},
      {"velum run model.onnx " + kData + " --out ", {}},
      {"velum run model.onnx " + kData + " --html ", {}},
      {"velum eval model.onnx " + kData + " --out ", {}},
      {"velum eval model.onnx " + kData + " --html ", {}},
      {"velum plan model.onnx --json ", {}},
      {"velum keygen --plan plan/client.plan --out other --json ", {}},
      {"velum inspect model.onnx --json ", {}},
      {"velum bench make-model dense-96x3 --out ", {}},
      {"velum bench calibrate --rates ", {}},
  };
  const std::vector<std::string> files = {"secret.key",  "eval.keys", "public.key", "client.plan",
                                          "server.plan", "batch.vct", "logits.vct"};
  for (std::size_t i = 0; i < writers.size(); ++i)
    for (const auto& file : files) {
      if (i > 2 && file != "eval.keys") continue;  // texts are all alike
      if (std::ranges::find(writers[i].own, file) != writers[i].own.end())
        w.must(writers[i].command + "k/" + file);
      else
        refuses(
            writers[i].command + "k/" + file, 2,
            file == "secret.key" ? "holds a secret key" : "which something of another kind would replace");
    }
  refuses(decrypt + "--out link", 2, "link: holds evaluation keys");
  // Files that go together, by their names.
  w.must(
      "mkdir -p mixed/public; cp keys/public/eval.keys mixed/client.plan; cp plan/client.plan "
      "mixed/public/eval.keys");
  refuses("velum plan model.onnx --out mixed", 2, "mixed/client.plan: holds evaluation keys");
  refuses("velum keygen --plan plan/client.plan --force --out mixed", 2,
          "mixed/public/eval.keys: holds client plan");
  // What is none of Velum's is replaced, and so are older files of the same kind.
  w.must("echo text >text; " + decrypt + "--out text; " + encrypt + "--out batch.vct; " + infer +
         "--out logits.vct");
  EXPECT_EQ(w.read("text").rfind("index,", 0), 0u);
}

}  // namespace
}  // namespace velum::test
