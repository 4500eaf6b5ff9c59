#include <gtest/gtest.h>

#include "cli/command.h"

namespace velum::test {
namespace {

TEST(Help, ListsEveryCommand) {
  const auto help = shell("velum --help", "/tmp");
  EXPECT_EQ(help.code, 0);
  for (const auto* name :
       {"train", "eval", "plan", "keygen", "encrypt", "infer", "decrypt", "run", "inspect", "bench"})
    EXPECT_NE(help.out.find(std::string("\n  ") + name), std::string::npos) << name;
  EXPECT_EQ(shell("velum", "/tmp").out, help.out);
  EXPECT_EQ(shell("velum --version", "/tmp").code, 0);
}

TEST(Help, EveryCommandExplainsItsOptions) {
  for (const auto* name :
       {"eval", "plan", "keygen", "encrypt", "infer", "decrypt", "run", "inspect", "bench kernels",
        "bench network", "bench compare", "bench calibrate", "bench make-model"}) {
    const auto help = shell(std::string("velum ") + name + " --help", "/tmp");
    EXPECT_EQ(help.code, 0) << name << help.err;
    EXPECT_NE(help.out.find("--json"), std::string::npos) << name;
    EXPECT_NE(help.out.find("--threads"), std::string::npos) << name;
  }
}

// Of each option that takes a value and may be left out, the help says what then holds.
TEST(Help, EveryOptionSaysItsDefault) {
  for (const auto* name :
       {"eval", "plan", "keygen", "encrypt", "infer", "decrypt", "run", "inspect", "bench kernels",
        "bench network", "bench compare", "bench calibrate", "bench make-model"}) {
    std::string option;  // with its text
    const auto check = [&] {
      const auto first = option.substr(0, option.find('\n'));
      // A flag has its text, or nothing, two columns behind its name.
      const auto flag = first.find("  ", 2);
      const auto head = first.substr(0, flag == std::string::npos ? first.size() : flag);
      const bool value = head.find(' ', 2) != std::string::npos;
      if (option.empty() || !value || option.find("REQUIRED") != std::string::npos) return;
      EXPECT_TRUE(option.find("efault:") != std::string::npos || head.find('=') != std::string::npos)
          << name << ":\n"
          << option;
    };
    for (const auto& line : lines(shell(std::string("velum ") + name + " --help", "/tmp").out)) {
      if (line.starts_with("  -") || !line.starts_with("  ")) {
        check();
        option = line.starts_with("  -") ? line : "";
      } else if (!option.empty()) {
        option += "\n" + line;
      }
    }
    check();
  }
}

// The last line of each command's help, and with "" of that of `velum` itself.
std::string example_of(const std::string& command) {
  const auto all = lines(shell("velum " + command + " --help", "/tmp").out);
  return all.empty() ? "" : all.back();
}

TEST(Help, EveryCommandEndsWithAnExample) {
  for (const std::string name :
       {"eval", "plan", "keygen", "encrypt", "infer", "decrypt", "run", "inspect", "bench kernels",
        "bench network", "bench compare", "bench calibrate", "bench make-model"})
    EXPECT_TRUE(example_of(name).starts_with("Example: velum " + name + " ") ||
                example_of(name) == "Example: velum " + name)
        << name << ": " << example_of(name);
  EXPECT_TRUE(example_of("bench").starts_with("Example: velum bench "));
  EXPECT_TRUE(example_of("").starts_with("Example: velum run ")) << example_of("");
}

TEST(Help, TheExamplesRunOneAfterAnother) {
  const Workplace w;
  w.must("ln -s '" VELUM_SOURCE_DIR "/models' models");
  for (const auto* name :
       {"", "eval", "plan", "keygen", "encrypt", "infer", "decrypt", "run", "inspect", "bench make-model"}) {
    const auto example = example_of(name);
    ASSERT_TRUE(example.starts_with("Example: ")) << name;
    const auto outcome = w.run(example.substr(9));
    EXPECT_EQ(outcome.code, 0) << example << "\n" << outcome.err;
  }
  EXPECT_TRUE(w.exists("predictions.csv"));
}

TEST(DidYouMean, ANameThatIsMistypedIsCorrected) {
  const struct {
    const char *line, *said;
  } cases[] = {
      {"velum pln", "there is no command pln; did you mean plan?"},
      {"velum encript --data digits", "there is no command encript; did you mean encrypt?"},
      {"velum key --plan x", "there is no command key; did you mean keygen?"},
      {"velum bench kernel", "there is no command kernel; did you mean kernels?"},
      {"velum run m.onnx --data digits --imags 5", "there is no option --imags; did you mean --images?"},
      {"velum run m.onnx --data digits --imags=5", "there is no option --imags; did you mean --images?"},
      // --data is missing because of the slip, which is what is told.
      {"velum run m.onnx --dta digits", "there is no option --dta; did you mean --data?"},
      {"velum encrypt --plan p --key k --data digits --otu b",
       "there is no option --otu; did you mean --out?"},
      {"velum infer --pln p", "there is no option --pln; did you mean --plan?"},
      {"velum bench kernels --repat 3", "there is no option --repat; did you mean --repeat?"},
  };
  for (const auto& c : cases) {
    const auto outcome = shell(c.line, "/tmp");
    EXPECT_EQ(outcome.code, 2) << c.line;
    EXPECT_NE(outcome.err.find(c.said), std::string::npos) << c.line << "\n" << outcome.err;
  }
}

TEST(DidYouMean, WhatIsFarFromEveryNameIsNotGuessed) {
  for (const auto* line : {"velum frobnicate", "velum plan m.onnx --frobnicate 3"}) {
    const auto outcome = shell(line, "/tmp");
    EXPECT_EQ(outcome.code, 2) << line;
    EXPECT_NE(outcome.err.find("frobnicate; --help"), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find("did you mean"), std::string::npos) << outcome.err;
  }
}

// Words that are values, or extra, are not taken for slips in a name.
TEST(DidYouMean, OtherMistakesKeepTheirMessages) {
  EXPECT_NE(shell("velum run m.onnx", "/tmp").err.find("--data is required"), std::string::npos);
  EXPECT_NE(shell("velum plan a.onnx b.onnx", "/tmp").err.find("b.onnx"), std::string::npos);
  EXPECT_NE(shell("velum plan a.onnx --batch x", "/tmp").err.find("Could not convert: --batch = x"),
            std::string::npos);
}

// With libtorch the trainer answers, without it the refusal says how to get it.
TEST(Help, TheTrainerIsAProgramOfItsOwn) {
  const auto help = shell("velum train --help", "/tmp");
  if (help.code == 0) {
    EXPECT_NE(help.out.find("--data"), std::string::npos) << help.out;
    for (const std::string command : {"train", "train --recipe best"})
      EXPECT_TRUE(example_of(command).starts_with("Example: velum train --data ")) << example_of(command);
  } else {
    EXPECT_NE(help.err.find("libtorch"), std::string::npos) << help.err;
  }
}

}  // namespace
}  // namespace velum::test
