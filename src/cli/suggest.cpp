#include "cli/suggest.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "base/nearest.h"
#include "base/text.h"

namespace velum::cli {

namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back(name);
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

std::string sentence(const char* kind, const std::string& word, const std::string& prefix,
                     const std::string& meant) {
  auto text = fmt::format("there is no {} {}{}", kind, prefix, printable(word));
  if (!meant.empty()) text += fmt::format("; did you mean {}{}?", prefix, meant);
  return text;
}

}  // namespace

std::string likely_name(const std::string& name, std::span<const std::string> known) {
  for (const auto& candidate : known)
    if (!name.empty() && candidate.starts_with(name)) return candidate;
  const auto nearest = nearest_name(name, known);
  return edit_distance(name, nearest) <= (name.size() + 3) / 3 ? nearest : "";
}

std::string unknown_word(const CLI::App& app, int argc, char** argv) {
  // The commands down to the one that was given, each with the words that it did not know.
  std::vector<const CLI::App*> chain{&app};
  while (!chain.back()->get_subcommands().empty()) chain.push_back(chain.back()->get_subcommands().front());
  for (const auto* level : chain) {
    const auto extras = level->remaining();
    // CLI11 keeps them in an order of its own; the first on the command line is told.
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (std::find(extras.begin(), extras.end(), word) == extras.end()) continue;
      if (word.starts_with("--") && word.size() > 2) {
        const auto name = word.substr(2, word.find('=') - 2);
        return sentence("option", name, "--", likely_name(name, option_names(*level)));
      }
      const auto commands = command_names(*level);
      if (!word.starts_with("-") && !commands.empty() && level->get_subcommands().empty())
        return sentence("command", word, "", likely_name(word, commands));
    }
  }
  return "";
}

}  // namespace velum::cli
