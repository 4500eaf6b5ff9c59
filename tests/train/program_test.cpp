// velum-train as a program: what it writes, says and refuses, and what it leaves behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/temp_folder.h"
#include "data/dataset.h"
#include "model/class_names.h"
#include "model/execute.h"
#include "model/onnx.h"

namespace velum::train {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using velum::testing::TempFolder;

struct Outcome {
  int code = 0;
  std::string out, err;
};

std::string text_of(const std::string& path) {
  const auto bytes = velum::testing::slurp(path);
  return {bytes.begin(), bytes.end()};
}

class Program : public ::testing::Test {
 protected:
  Outcome run(const std::string& arguments) const {
    const auto line = "cd " + folder.path() + " && " VELUM_TRAIN_PROGRAM " " + arguments + " >" +
                      streams / "out" + " 2>" + streams / "err";
    const int status = std::system(line.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(streams / "out"), text_of(streams / "err")};
  }
  std::vector<std::string> files() const {
    auto names = folder.list();
    std::sort(names.begin(), names.end());
    return names;
  }
  // One line that names the program and holds `says`, the exit code, and nothing new in the folder.
  void refuses(const std::string& arguments, int code, const std::vector<std::string>& says) const {
    const auto before = files();
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << arguments << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("velum train: ")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const auto& part : says)
      EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in " << outcome.err;
    EXPECT_EQ(files(), before) << arguments;
  }

  // A network so small, and a rate so high, that an epoch of the built-in digits takes a second or two.
  const std::string quick = "--data digits --net cryptonets --width 0.2 --epochs 1 --batch 500 --threads 1 ";
  TempFolder folder, streams;
};

TEST_F(Program, WritesWhatWasAskedForAndNothingElse) {
  const auto outcome =
      run(quick +
          "--out m.onnx --json r.json --report r.html --write-config c.toml --checkpoint k.ckpt "
          "--note place=here");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("epoch   1/1"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("test: accuracy"), std::string::npos) << outcome.out;
  EXPECT_EQ(files(), (std::vector<std::string>{"c.toml", "m.onnx", "r.html", "r.json"}));
  const auto report = nlohmann::json::parse(text_of(folder / "r.json"));
  EXPECT_EQ(report.at("place"), "here");
  EXPECT_EQ(report.at("history").size(), 1u);
  EXPECT_GT(report.at("test").at("accuracy").get<double>(), 0.3);
  const auto graph = model::load_onnx(folder / "m.onnx");
  EXPECT_EQ(model::class_names(graph).size(), 10u);
  EXPECT_NE(text_of(folder / "r.html").find("<svg"), std::string::npos);

  // The configuration gives the same network, and --quiet and --skip-test say and look at less. What it says
  // of a teacher is told to readers of the report.
  std::ofstream(folder / "c.toml", std::ios::app) << "taught-by = \"digits-lenet5-relu\"\n";
  const auto again =
      run("--config c.toml --checkpoint '' --out again.onnx --json again.json --quiet --skip-test");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out.find("epoch"), std::string::npos) << again.out;
  const auto same = nlohmann::json::parse(text_of(folder / "again.json"));
  EXPECT_FALSE(same.contains("test"));
  EXPECT_EQ(same.at("taught_by"), "digits-lenet5-relu");
  EXPECT_EQ(same.at("validation").at("accuracy"), report.at("validation").at("accuracy"));
}

// Range, mean and deviation are part of the network: it is trained on what they make of the images, and the
// file takes images as they are, right for as many as the report says.
TEST_F(Program, PixelOptionsArePartOfTheNetwork) {
  const auto outcome =
      run(quick + "--input-range 0,255 --input-mean 63.75 --input-std 127.5 --out m.onnx --json r.json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto graph = model::load_onnx(folder / "m.onnx");
  EXPECT_EQ(graph.pixels.origin, model::Pixels::Origin::recorded);
  EXPECT_EQ(graph.pixels.high, 255);
  data::LoadOptions test;
  test.split = data::Split::test;
  const auto images = data::load("digits", test);
  const auto outputs = model::execute(graph, images.images, images.count());
  std::size_t right = 0;
  for (std::size_t i = 0; i < images.count(); ++i) {
    const auto row = outputs.begin() + static_cast<std::ptrdiff_t>(10 * i);
    right += std::max_element(row, row + 10) - row == images.labels[i];
  }
  const auto report = nlohmann::json::parse(text_of(folder / "r.json"));
  EXPECT_NEAR(report.at("test").at("accuracy").get<double>(),
              static_cast<double>(right) / static_cast<double>(images.count()), 0.002);
  refuses(quick + "--out n.onnx --input-range 1,0", 2, {"--input-range"});
  refuses(quick + "--out n.onnx --input-mean 1,2", 2, {"--input-mean"});
}

TEST_F(Program, RefusesInOneLineAndLeavesNothing) {
  refuses(quick, 2, {"--out", "required"});
  refuses("--out m.onnx", 2, {"--data", "required"});
  refuses(quick + "--out m.onnx --epohs 3", 2, {"--epohs", "did you mean --epochs"});
  refuses(quick + "--out m.onnx --lr fast", 2, {"lr", "fast"});
  refuses(quick + "--out m.onnx --scale 2", 2, {"--scale 2"});
  refuses(quick + "--out m.onnx --json m.onnx", 2, {"--json", "overwrite"});
  refuses(quick + "--out . ", 2, {"is a folder"});
  refuses(quick + "--out deep/er/m.onnx", 2, {"does not exist"});
  refuses(quick + "--out m.onnx --report nowhere/r.html", 2, {"does not exist"});
  refuses("--data folder:absent --out m.onnx --write-config c.toml", 2, {"absent", "not a folder"});
  refuses(quick + "--out m.onnx --teacher absent.onnx", 2, {"absent.onnx"});
  refuses(quick + "--out m.onnx --device cuda:99", 2, {"cuda:99"});
}

TEST_F(Program, ACheckpointThatIsThereIsNotTouched) {
  folder.write("k.ckpt", std::vector<std::uint8_t>{'m', 'i', 'n', 'e'});
  refuses(quick + "--out m.onnx --checkpoint k.ckpt", 2, {"k.ckpt", "--resume"});
  refuses(quick + "--out m.onnx --checkpoint k.ckpt --resume", 2, {"k.ckpt", "not a checkpoint"});
  EXPECT_EQ(text_of(folder / "k.ckpt"), "mine");
}

TEST_F(Program, TooLittleMemoryIsSaidInALine) {
  refuses("--data digits --net cryptonets --width 1e5 --out m.onnx --threads 1", 1,
          {"out of memory", "--width"});
}

TEST_F(Program, HelpShowsTheDefaultsOfTheRecipe) {
  const auto best = run("--recipe best --help"), direct = run("--help");
  EXPECT_EQ(best.code, 0);
  // CLI11 2.1 writes --average FLOAT=0.998, 2.4 --average FLOAT [0.998]
  EXPECT_THAT(best.out, AnyOf(HasSubstr("--average FLOAT=0.998"), HasSubstr("--average FLOAT [0.998]")));
  EXPECT_NE(best.out.find("Velum's own combination"), std::string::npos);
  EXPECT_THAT(direct.out, AnyOf(HasSubstr("--average FLOAT=0 "), HasSubstr("--average FLOAT [0] ")));
  EXPECT_EQ(direct.out.find("Velum's own combination"), std::string::npos);
  refuses("--recipe bset --help", 2, {"bset", "best"});
}

}  // namespace
}  // namespace velum::train
