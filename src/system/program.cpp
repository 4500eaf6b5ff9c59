#include "system/program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <new>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/units.h"
#include "system/memory.h"
#include "system/terminal.h"
#include "system/unfinished.h"

namespace velum {

namespace {

// A stream that the caller closed would be the next file opened, and what is printed would end in it. In its
// place stands one that takes nothing.
void occupy_standard_streams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      (void)!::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

bool is_users(const std::error_code& code) {
  for (const auto kind : {std::errc::no_such_file_or_directory, std::errc::permission_denied,
                          std::errc::too_many_symbolic_link_levels, std::errc::not_a_directory,
                          std::errc::filename_too_long, std::errc::is_a_directory})
    if (code == kind) return true;
  return false;
}

// As a shell takes it again.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("_@%+=:,./-").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string text(1, '\'');
  for (const char c : word) {
    if (c == '\'')
      text += "'\\''";
    else
      text += c;
  }
  text += '\'';
  return text;
}

}  // namespace

std::string command_line() {
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::string text;
  bool first = true;
  for (std::string word; std::getline(in, word, '\0'); first = false) {
    if (!first) text += ' ';
    text += first ? std::filesystem::path(word).filename().string() : shell_word(word);
  }
  return text;
}

void forbid_core_dumps() {
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  // A system that pipes dumps to a program may not look at the limit: no kind of memory goes into one.
  std::ofstream("/proc/self/coredump_filter") << "0\n";
}

int run_program(const std::string& name, const std::function<void()>& body) {
  occupy_standard_streams();
  handle_signals();
  std::string message;
  int code = 1;
  try {
    body();
    finish_stdout();
    return 0;
  } catch (const Error& e) {
    message = e.what();
    code = e.exit_code();
  } catch (const std::bad_alloc&) {
    message =
        fmt::format("out of memory at {} in use; use a smaller batch, fewer threads or a machine with more",
                    format_bytes(static_cast<double>(current_rss_bytes())));
  } catch (const std::filesystem::filesystem_error& e) {
    message = fmt::format("{}: cannot be used: {}", e.path1().string(), e.code().message());
    code = is_users(e.code()) ? 2 : 1;
  } catch (const std::system_error& e) {
    message = std::ferror(stdout) ? fmt::format("standard output: cannot be written: {}", e.code().message())
                                  : std::string(e.what());
  } catch (const std::exception& e) {
    message = e.what();
  }
  std::ranges::replace(message, '\n', ' ');  // one line, whatever a library says
  (void)std::fflush(stdout);
  say_on_stderr(name + ": " + message);
  return code;
}

}  // namespace velum
