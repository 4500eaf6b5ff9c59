#include "cli/common.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/suggest.h"
#include "system/cores.h"
#include "system/file.h"
#include "system/terminal.h"

namespace velum::cli {

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--json", options.json, "Write the results to this file as JSON; default: to none")
      ->type_name("FILE");
  app.add_option("--threads", options.threads, "Threads to use; 0: all cores")
      ->check(natural_number())
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
}

void begin_command(const CommonOptions& options, NamedPaths outputs, const NamedPaths& inputs) {
  const int wanted = options.threads > 0 ? options.threads : usable_cores();
  const int given = startable_threads(wanted);
  if (given < wanted)
    note(fmt::format("{} threads in place of {}: the system allows this process no more", given, wanted));
  use_threads(given);
  outputs.push_back({"--json", options.json});
  check_targets(outputs, inputs);
}

std::string short_id(const std::string& id) {
  return id.substr(0, 12);
}

std::string path_in(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

void write_json(const CommonOptions& options, const Json& json, unsigned mode) {
  if (!options.json.empty())
    write_file_atomically(options.json, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n",
                          mode);
}

CLI::Validator natural_number() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        const bool digits =
            !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
        // 19 digits are below 2^64.
        return digits && text.size() <= 19 ? "" : fmt::format("\"{}\" is not a whole number from 0 on", text);
      },
      "NUMBER");
}

CLI::Validator size_text() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        const auto digits = text.find_first_not_of("0123456789");
        const auto length = digits == std::string::npos ? text.size() : digits;
        const bool unit =
            digits == std::string::npos || std::isalpha(static_cast<unsigned char>(text[digits]));
        return length > 0 && length <= 18 && unit ? "" : fmt::format("\"{}\" is no size, such as 20GB", text);
      },
      "");
}

bool parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::Success& e) {
    app.exit(e);
    return false;
  } catch (const CLI::ParseError& e) {
    // A mistyped option is told before what is missing because of it.
    const auto unknown = unknown_word(app, argc, argv);
    fail_user("{}; --help lists the options", unknown.empty() ? e.what() : unknown);
  }
}

void print_notes(const std::vector<std::string>& notes) {
  for (const auto& note : notes) fmt::print("note: {}\n", note);
}

}  // namespace velum::cli
