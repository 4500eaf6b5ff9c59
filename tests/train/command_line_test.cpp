// Options from recipes, configuration files and the command line, and what is wrong with them.
#include "train/command_line.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "support.h"
#include "train/recipe.h"

namespace velum::train {
namespace {

std::optional<Arguments> parse(std::vector<std::string> arguments, int expected_code = 0) {
  std::vector<const char*> argv{"velum-train"};
  for (const auto& a : arguments) argv.push_back(a.c_str());
  auto parsed = parse_command_line(static_cast<int>(argv.size()), argv.data());
  EXPECT_EQ(parsed.exit_code, expected_code);
  return parsed.arguments;
}

std::string write_config(const std::string& text) {
  const auto path = scratch("config.toml");
  std::ofstream(path) << text;
  return path;
}

TEST(CommandLine, RecipeThenConfigurationThenCommandLine) {
  const auto config =
      write_config("data = \"digits\"\nrecipe = \"transition\"\nepochs = 7\nbatch = 50\nflip = true\n");
  const auto args = parse({"--config", config, "--batch", "60", "--out", "m.onnx"});
  ASSERT_TRUE(args);
  const auto& o = args->options;
  EXPECT_EQ(o.data, "digits");
  EXPECT_EQ(o.temperature, 10);  // the recipe's
  EXPECT_EQ(o.epochs, 7);        // the file's
  EXPECT_EQ(o.batch, 60);        // the command line's
  EXPECT_TRUE(o.augmentation.flip);
  EXPECT_EQ(o.activation, ActivationKind::channel);
  const auto without =
      parse({"--config", config, "--out", "m.onnx", "--flip=false", "--class-weights=false"});
  EXPECT_FALSE(without->options.augmentation.flip);
  EXPECT_FALSE(without->options.class_weights);
  std::filesystem::remove(config);
}

TEST(CommandLine, ConfigurationRoundTrip) {
  for (const auto& recipe : recipes()) {
    auto o = defaults_of(recipe.name);
    o.data = "digits";
    o.network = "vgg";
    o.widths = {8, 16};
    o.learning_rate = 0.0123456789;
    o.start = Start::fixed;
    o.augmentation.mixup = 0.25;
    o.checkpoint = "c.ckpt";
    const auto config = write_config(to_toml(o));
    const auto args = parse({"--config", config, "--out", "m.onnx"});
    ASSERT_TRUE(args);
    EXPECT_EQ(describe(args->options), describe(o));
    EXPECT_EQ(to_toml(args->options), to_toml(o));
    std::filesystem::remove(config);
  }
}

TEST(CommandLine, AnUnknownKeyIsRefusedWithTheNearest) {
  const auto config = write_config("data = \"digits\"\nlearning-rte = 3\ntempreature = 4\n");
  const auto message = [&] {
    try {
      parse({"--config", config, "--out", "m.onnx"});
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user);
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_NE(message().find("learning-rte"), std::string::npos) << message();
  write_config("data = \"digits\"\ntempreature = 4\n");
  EXPECT_NE(message().find("did you mean \"temperature\""), std::string::npos) << message();
  write_config("[optimisation]\nlr = 4\n");
  EXPECT_NE(message().find("[optimisation]"), std::string::npos) << message();
  std::filesystem::remove(config);
}

TEST(CommandLine, HelpAndMistakesRunNothing) {
  EXPECT_FALSE(parse({"--help"}));
  EXPECT_FALSE(parse({"--describe-recipe", "best"}));
  EXPECT_THROW(parse({"--data", "digits"}), Error);  // no --out
  EXPECT_THROW(parse({"--data", "digits", "--out", "m.onnx", "--epohs", "3"}), Error);
  EXPECT_THROW(parse({"--data", "digits", "--out", "m.onnx", "--recipe", "bset"}), Error);
  EXPECT_THROW(parse({"--data", "digits", "--out", "m.onnx", "--activation", "cubic"}), Error);
}

TEST(CommandLine, ShippedConfigurationsAreUnderstood) {
  int found = 0, rows_named = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VELUM_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".toml") continue;
    ++found;
    const auto args = parse({"--config", entry.path().string(), "--data", "digits", "--out", "m.onnx"});
    ASSERT_TRUE(args) << entry.path();
    validate(args->options);
    for (const auto& row : {args->taught_by, args->begins_with}) {
      if (row.empty()) continue;
      ++rows_named;
      EXPECT_TRUE(std::filesystem::exists(VELUM_SOURCE_DIR "/configs/" + row + ".toml")) << row;
    }
  }
  EXPECT_GE(found, 10);
  EXPECT_GE(rows_named, 4);
}

}  // namespace
}  // namespace velum::train
