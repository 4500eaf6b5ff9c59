// The files of a run: none in the place of another, none lost.
#include "train/output_files.h"

#include <gtest/gtest.h>

#include "base/container.h"
#include "base/temp_folder.h"
#include "train/trainer.h"

namespace velum::train {
namespace {

using velum::testing::expect_user_error;
using velum::testing::TempFolder;

struct OutputFiles : ::testing::Test {
  TempFolder folder;
  Arguments args = [this] {
    Arguments a;
    a.out = folder / "model.onnx";
    a.json = folder / "run.json";
    a.report = folder / "run.html";
    a.write_config = folder / "run.toml";
    a.options.checkpoint = folder / "run.ckpt";
    a.options.from = folder / "relu.onnx";
    a.config = folder / "given.toml";
    return a;
  }();
};

TEST_F(OutputFiles, OfTheirOwnAreFine) {
  check_output_files(args);
  EXPECT_TRUE(folder.list().empty());
}

TEST_F(OutputFiles, OneMayNotTakeThePlaceOfAnother) {
  const auto refused = [&](std::string Arguments::*which, const std::string& path, const char* option) {
    auto other = args;
    other.*which = path;
    expect_user_error({option, "overwrite"}, [&] { check_output_files(other); });
  };
  refused(&Arguments::json, args.out, "--json");
  refused(&Arguments::json, folder / "sub/../model.onnx", "--out");  // the same place by another path
  refused(&Arguments::report, args.json, "--report");
  refused(&Arguments::out, args.options.checkpoint, "--checkpoint");
  refused(&Arguments::out, teacher_checkpoint(args.options), "the ReLU network's checkpoint");
  refused(&Arguments::out, args.options.from, "--from");
  refused(&Arguments::write_config, args.config, "--config");
}

TEST_F(OutputFiles, KeysAndPlansAreNotReplaced) {
  folder.write("model.onnx", wrap(FileType::evaluation_keys, 1, {}));
  expect_user_error({"--out ", "model.onnx: holds evaluation keys"}, [&] { check_output_files(args); });
}

TEST_F(OutputFiles, ThatCannotBeWrittenAreRefused) {
  args.json = folder.path();
  expect_user_error({"is a folder"}, [&] { check_output_files(args); });
  args.json = folder / "missing/run.json";
  expect_user_error({"missing/run.json", "does not exist"}, [&] { check_output_files(args); });
}

// A checkpoint is overwritten after the first epoch, and removed after the last.
TEST_F(OutputFiles, ACheckpointIsOnlyReplacedByAResumedRun) {
  for (const auto& path : {args.options.checkpoint, teacher_checkpoint(args.options)}) {
    folder.write(path.substr(folder.path().size() + 1), std::vector<std::uint8_t>{1});
    args.options.resume = false;
    expect_user_error({path, "--resume"}, [&] { check_output_files(args); });
    args.options.resume = true;
    check_output_files(args);
    std::filesystem::remove(path);
  }
}

}  // namespace
}  // namespace velum::train
