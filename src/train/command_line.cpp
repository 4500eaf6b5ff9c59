#include "train/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <type_traits>

#include "base/error.h"
#include "base/nearest.h"
#include "train/network_spec.h"
#include "train/option_table.h"
#include "train/recipe.h"

namespace velum::train {

namespace {

// The options whose values are names: parsed after the command line.
struct Names {
  std::string activation, start;
};

void add_options(CLI::App& app, Arguments& args, Names& names, std::string& described) {
  app.option_defaults()->always_capture_default();
  names = {std::string(to_string(args.options.activation)), std::string(to_string(args.options.start))};
  visit_options(args.options, [&](const OptionInfo& info, auto& field) {
    using Field = std::decay_t<decltype(field)>;
    const std::string flag = std::string("--") + info.name;
    CLI::Option* option = nullptr;
    if constexpr (std::is_same_v<Field, bool>)
      option = app.add_flag(flag, field, info.help);
    else if constexpr (std::is_same_v<Field, ActivationKind>)
      option = app.add_option(flag, names.activation, info.help);
    else if constexpr (std::is_same_v<Field, Start>)
      option = app.add_option(flag, names.start, info.help);
    else if constexpr (std::is_same_v<Field, std::vector<std::int64_t>>)
      option = app.add_option(flag, field, info.help)->delimiter(',')->always_capture_default(false);
    else
      option = app.add_option(flag, field, info.help);
    if (*info.group) option->group(info.group);
  });
  app.add_option("--out", args.out, "The model, as ONNX (required)");
  app.add_option("--json", args.json,
                 "Results: options, history, accuracy, confusion matrix, activations, ranges");
  app.add_option("--report", args.report,
                 "A page: curves, confusion matrix, ROC, F1 by class, activations, beside the teacher");
  app.add_option(
      "--curves", args.curves,
      "The curves as CSV: loss and accuracy of every epoch, those of a ReLU network trained first too");
  const auto* runs = "Runs";
  app.add_flag("--skip-test", args.skip_test, "Leave the test split alone: while choices are made")
      ->group(runs);
  app.add_option("--note", args.notes, "KEY=VALUE for the report; repeatable")
      ->group(runs)
      ->always_capture_default(false);
  app.add_option("--taught-by", args.taught_by,
                 "For the report: the row of a table (configs/ROW.toml) that made --teacher")
      ->group(runs);
  app.add_option("--begins-with", args.begins_with, "For the report: the row that made --from")->group(runs);
  app.add_option("--write-config", args.write_config, "Write all options as a configuration file")
      ->group(runs);
  app.add_flag("--quiet", args.quiet, "No line an epoch")->group(runs);
  app.add_option("--describe-recipe", described, "Explain a recipe, and stop");
  app.set_config("--config", "", "Options from a TOML file (configs/*.toml); the command line goes first");
  app.footer("\nRecipes:\n" + describe_recipes() + "\nNetworks:\n" + describe_networks() +
             "\nChoices are made on the validation split; the test split is read once, at the end.\n"
             "Example: velum train --data digits --net cryptonets --epochs 10 --out digits.onnx");
}

// The path behind --config; empty where none is given. CLI11 2.4 reads past the end of an option without
// results.
std::string config_of(const CLI::App& app) {
  const auto* option = app.get_config_ptr();
  return option->count() > 0 ? option->as<std::string>() : std::string();
}

// CLI11 would name all unknown keys at once, and nothing to put in their place.
void require_known_keys(const std::string& path) {
  std::vector<std::string> known{"out",  "json",  "report",    "curves",     "skip-test",
                                 "note", "quiet", "taught-by", "begins-with"};
  TrainOptions any;
  visit_options(any, [&](const OptionInfo& info, auto&) { known.emplace_back(info.name); });
  for (const auto& item : CLI::ConfigTOML().from_file(path)) {
    if (item.name == "++" || item.name == "--") continue;  // a section begins or ends
    if (!item.parents.empty())
      fail_user("{}: sections like [{}] mean nothing here; write the keys without one", path,
                item.parents.front());
    if (std::find(known.begin(), known.end(), item.name) == known.end())
      fail_user("{}: there is no key \"{}\"; did you mean \"{}\"?", path, item.name,
                nearest_name(item.name, known));
  }
}

// The recipe on the command line or in the configuration file; empty where none is chosen. Keys of that file
// which do not exist are refused here: CLI11 2.4 takes their values for arguments. What else is wrong with
// either is for the parser of all options to say.
std::string chosen_recipe(int argc, const char* const* argv) {
  std::string recipe, config;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.allow_config_extras(CLI::config_extras_mode::ignore_all);
  app.add_option("--recipe", recipe);
  app.set_config("--config");
  try {
    app.parse(argc, argv);
    config = config_of(app);
  } catch (const CLI::ParseError&) {
  }
  if (!config.empty()) require_known_keys(config);
  return recipe;
}

// CLI11 says what is wrong; in one line, with what may have been meant.
[[noreturn]] void refuse_arguments(const CLI::App& app, const CLI::ParseError& e) {
  std::string text = e.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (dynamic_cast<const CLI::ExtrasError*>(&e)) {
    std::vector<std::string> known;
    for (const auto* option : app.get_options())
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    for (const auto& extra : app.remaining())
      if (extra.starts_with("--"))
        fail_user("there is no option {}; did you mean {}?", extra.substr(0, extra.find('=')),
                  nearest_name(extra.substr(0, extra.find('=')), known));
  }
  fail_user("{}; --help lists the options and what they may be", text);
}

// The command line on top of what `args` holds; the exit code where it ends there.
std::optional<int> parse_into(Arguments& args, const std::string& recipe, int argc, const char* const* argv) {
  Names names;
  std::string described;
  CLI::App app("Trains a network with polynomial activations, which can run on encrypted images",
               "velum train");
  add_options(app, args, names, described);
  if (!recipe.empty())
    app.footer(fmt::format("\nThe defaults above are those of --recipe {}\n{}\n{}", recipe,
                           describe_recipe(recipe), app.get_footer()));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    refuse_arguments(app, e);
  }
  if (!described.empty()) {
    fmt::print("{}", describe_recipe(described));
    return 0;
  }
  args.config = config_of(app);
  for (const char* needed : {"--data", "--out"})
    if (app.get_option(needed)->count() == 0) fail_user("{} is required; --help says what it may be", needed);
  args.options.activation = parse_activation(names.activation);
  args.options.start = parse_start(names.start);
  return std::nullopt;
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
  const auto recipe = chosen_recipe(argc, argv);
  Parsed out{Arguments{}, 0};
  out.arguments->options = defaults_of(recipe.empty() ? TrainOptions{}.recipe : recipe);
  if (const auto code = parse_into(*out.arguments, recipe, argc, argv)) return {std::nullopt, *code};
  return out;
}

std::string to_toml(const TrainOptions& options) {
  std::string out;
  visit_options(options, [&](const OptionInfo& info, const auto& field) {
    using Field = std::decay_t<decltype(field)>;
    const auto line = [&](const std::string& value) { out += fmt::format("{} = {}\n", info.name, value); };
    if constexpr (std::is_same_v<Field, std::string>) {
      if (!field.empty()) line(fmt::format("\"{}\"", field));
    } else if constexpr (std::is_enum_v<Field>) {
      line(fmt::format("\"{}\"", to_string(field)));
    } else if constexpr (std::is_same_v<Field, std::vector<std::int64_t>>) {
      if (!field.empty()) line(fmt::format("[{}]", fmt::join(field, ", ")));
    } else {
      line(fmt::format("{}", field));
    }
  });
  return out;
}

}  // namespace velum::train
