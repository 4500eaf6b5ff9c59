#include "cli/common.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"

namespace velum::cli {

void add_common_options(CLI::App& app, CommonOptions& options) {
  app.add_option("--json", options.json, "Write the results to this file as JSON")->type_name("FILE");
  app.add_option("--threads", options.threads, "Threads to use; 0: all cores")->check(CLI::Range(0, 4096));
}

void use_threads(const CommonOptions& options) {
  set_threads(options.threads);
  if (!options.json.empty()) require_writable(options.json);
}

std::string path_in(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

void write_json(const CommonOptions& options, const Json& json) {
  if (!options.json.empty())
    write_file_atomically(options.json, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

int guarded(const std::string& name, const std::function<void()>& body) {
  std::string message;
  int code = 1;
  try {
    body();
    return 0;
  } catch (const Error& e) {
    message = e.what();
    code = e.exit_code();
  } catch (const std::bad_alloc&) {
    message =
        fmt::format("out of memory at {} in use; use a smaller batch, fewer threads or a machine with more",
                    format_bytes(static_cast<double>(current_rss_bytes())));
  } catch (const std::exception& e) {
    message = e.what();
  }
  // One line, whatever a message holds.
  std::ranges::replace(message, '\n', ' ');
  fmt::print(stderr, "{}: {}\n", name, message);
  return code;
}

bool parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::Success& e) {
    app.exit(e);
    return false;
  } catch (const CLI::ParseError& e) {
    fail_user("{}; --help lists the options", e.what());
  }
}

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  for (const auto& row : rows) {
    width.resize(std::max(width.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == 0)
        line += fmt::format("{:<{}}", row[c], width[c]);
      else
        line += fmt::format("  {:>{}}", row[c], width[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace velum::cli
