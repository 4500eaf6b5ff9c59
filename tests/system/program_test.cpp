// What a process leaves and says when it ends in other ways than by its own return: each case in a child
// process.
#include "system/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/temp_folder.h"
#include "system/file.h"
#include "system/file_set.h"

namespace velum {
namespace {

using testing::TempFolder;

struct End {
  int code = -1, signal = 0;
  std::string err;
};

// Runs `body` as a program of its own, after `before` (in which streams can be closed).
End end_of(
    const std::function<void()>& body, const std::function<void()>& before = [] {}) {
  TempFolder folder;
  const auto err = folder / "err";
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(err.c_str(), O_CREAT | O_WRONLY, 0600);
    ::dup2(fd, STDERR_FILENO);
    ::close(fd);
    before();
    std::exit(run_program("program", body));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  End end;
  if (WIFEXITED(status)) end.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  const auto bytes = testing::slurp(err);
  end.err = {bytes.begin(), bytes.end()};
  return end;
}

// This test's own command: its program without its folder, and its arguments.
TEST(Program, KnowsItsCommandLine) {
  const auto text = command_line();
  EXPECT_TRUE(text.starts_with("velum_system_tests")) << text;
}

TEST(Program, ErrorsAreOneLineAndACode) {
  EXPECT_EQ(end_of([] {}).code, 0);
  const auto user = end_of([] { fail_user("a\nb\x1b[1m"); });
  EXPECT_EQ(user.code, 2);
  EXPECT_EQ(user.err, "program: a b\\x1b[1m\n");
  EXPECT_EQ(end_of([] { fail("x"); }).code, 1);
  const auto loop = end_of([] {
    throw std::filesystem::filesystem_error("status", "some/folder",
                                            std::make_error_code(std::errc::too_many_symbolic_link_levels));
  });
  EXPECT_EQ(loop.code, 2);
  EXPECT_EQ(loop.err, "program: some/folder: cannot be used: Too many levels of symbolic links\n");
}

TEST(Program, AStdoutThatTakesNothingIsAFailure) {
  const auto print = [] { std::printf("text\n"); };
  const auto full = end_of(print, [] { ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO); });
  EXPECT_EQ(full.code, 1);
  EXPECT_NE(full.err.find("program: standard output: cannot be written: No space left"), std::string::npos)
      << full.err;
  const auto closed = end_of(print, [] { ::close(STDOUT_FILENO); });
  EXPECT_EQ(closed.code, 1);
  EXPECT_NE(closed.err.find("Bad file descriptor"), std::string::npos) << closed.err;
  EXPECT_EQ(end_of([] {}, [] { ::close(STDOUT_FILENO); }).code, 0);  // nothing to say, nothing lost
}

// A file opened after stdout was closed must not become it.
TEST(Program, WhatIsPrintedGoesIntoNoFile) {
  TempFolder folder;
  const auto body = [&] {
    AtomicFile file(folder / "x");
    std::printf("text\n");
    std::fflush(stdout);
    file.write("data");
    file.commit();
  };
  end_of(body, [] { ::close(STDOUT_FILENO); });
  EXPECT_EQ(testing::slurp(folder / "x"), (testing::Bytes{'d', 'a', 't', 'a'}));
}

TEST(Program, AnStderrThatTakesNothingChangesNoCode) {
  for (const auto& spoil : std::vector<std::function<void()>>{
           [] { ::close(STDERR_FILENO); }, [] { ::dup2(::open("/dev/full", O_WRONLY), STDERR_FILENO); }}) {
    EXPECT_EQ(end_of([] { fail_user("x"); }, spoil).code, 2);
    EXPECT_EQ(end_of([] {}, spoil).code, 0);
  }
}

class Interrupted : public ::testing::TestWithParam<int> {};

TEST_P(Interrupted, LeavesNothing) {
  TempFolder folder;
  const auto end = end_of([&] {
    AtomicFile file(folder / "x");
    FileSet set(folder / "keys", {"a", "b"});
    write_file_atomically(set.staged("a"), "half");
    file.write("half");
    ::raise(GetParam());
  });
  EXPECT_EQ(end.signal, GetParam());
  EXPECT_TRUE(folder.list().empty()) << folder.list().size() << " entries, " << folder.list().front();
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupted, ::testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE));

TEST(Program, IgnoredSignalsStayIgnored) {
  EXPECT_EQ(end_of([] { ::raise(SIGHUP); }, [] { std::signal(SIGHUP, SIG_IGN); }).code, 0);
}

TEST(Program, AnExitInALibraryLeavesNothing) {
  TempFolder folder;
  EXPECT_EQ(end_of([&] {
              AtomicFile file(folder / "x");
              file.write("half");
              std::exit(7);
            }).code,
            7);
  EXPECT_TRUE(folder.list().empty());
}

TEST(Program, AWriteBeyondTheLimitOfFilesIsAnError) {
  TempFolder folder;
  const auto end = end_of([&] {
    const rlimit limit{4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    write_file_atomically(folder / "x", std::string(10000, 'x'));
  });
  EXPECT_EQ(end.code, 1);
  EXPECT_NE(end.err.find("File too large"), std::string::npos) << end.err;
  EXPECT_TRUE(folder.list().empty());
}

TEST(SignalsHeld, LetThemWait) {
  TempFolder folder;
  const auto end = end_of([&] {
    const SignalsHeld held;
    ::raise(SIGTERM);
    write_file_atomically(folder / "x", "whole");
  });
  EXPECT_EQ(end.signal, SIGTERM);
  EXPECT_EQ(folder.list(), std::vector<std::string>{"x"});
}

}  // namespace
}  // namespace velum
