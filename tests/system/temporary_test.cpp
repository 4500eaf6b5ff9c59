// What a killed writer leaves under a temporary name goes with the next writer, and what a living one holds
// stays.
#include "system/temporary.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <optional>

#include "base/temp_folder.h"
#include "system/file.h"
#include "system/file_set.h"

namespace velum {
namespace {

using testing::Bytes;
using testing::TempFolder;

pid_t start(const std::function<void()>& body) {
  std::fflush(nullptr);
  const auto child = ::fork();
  if (child != 0) return child;
  body();
  ::_exit(0);
}

int end_of(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

// In the middle of a file and of a set of files.
void write_and(const TempFolder& folder, const std::function<void()>& then) {
  AtomicFile file(folder / "x");
  file.write("half");
  FileSet set(folder / "keys", {"a", "inner/b"});
  write_file_atomically(set.staged("a"), "secret", kOwnerOnly);
  AtomicFile half(set.staged("inner/b"), kOwnerOnly);
  then();
  half.commit();
  set.commit();
  file.commit();
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

TEST(Temporary, OfAKilledWriterGoesWithTheNextOne) {
  for (const bool next_is_set : {false, true}) {
    TempFolder folder;
    const auto status = end_of(start([&] { write_and(folder, [] { ::kill(::getpid(), SIGKILL); }); }));
    ASSERT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(folder.list().size(), 2u);
    if (next_is_set) {
      const FileSet set(folder / "other", {"a"});
      EXPECT_EQ(folder.list().size(), 1u) << "its own";
    } else {
      write_file_atomically(folder / "x", "whole");
    }
    EXPECT_EQ(folder.list(), next_is_set ? std::vector<std::string>{} : std::vector<std::string>{"x"});
  }
}

TEST(Temporary, OfALivingWriterStays) {
  TempFolder folder;
  int ready[2], go[2];
  ASSERT_EQ(::pipe(ready) | ::pipe(go), 0);
  const auto child = start([&] {
    write_and(folder, [&] {
      char c = 'c';
      if (::write(ready[1], &c, 1) != 1 || ::read(go[0], &c, 1) != 1) ::_exit(1);
    });
  });
  char c = 0;
  ASSERT_EQ(::read(ready[0], &c, 1), 1);
  const auto before = sorted(folder.list());
  EXPECT_EQ(before.size(), 2u);
  remove_abandoned(folder.path());
  EXPECT_EQ(sorted(folder.list()), before);
  ASSERT_EQ(::write(go[1], &c, 1), 1);
  EXPECT_EQ(end_of(child), 0);
  EXPECT_EQ(sorted(folder.list()), (std::vector<std::string>{"keys", "x"}));
  for (const int fd : {ready[0], ready[1], go[0], go[1]}) ::close(fd);
}

// Each takes what the others have just made for abandoned, if it can.
TEST(Temporary, OfManyWritersAtOnceNoneIsHarmed) {
  TempFolder folder;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i)
    children.push_back(start([&] {
      try {
        for (int round = 0; round < 100; ++round) {
          std::string file, stage;
          const int fd = open_temporary(folder.path(), 0600, file);
          const int lock = open_temporary_folder(folder.path(), stage);
          remove_abandoned(folder.path());
          if (fd < 0 || lock < 0 || ::access(file.c_str(), W_OK) != 0) ::_exit(1);
          write_file_atomically(stage + "/staged", "x");
          if (::unlink((stage + "/staged").c_str()) | ::rmdir(stage.c_str()) | ::unlink(file.c_str()))
            ::_exit(2);
          ::close(fd);
          ::close(lock);
        }
      } catch (const Error&) {
        ::_exit(3);
      }
    }));
  for (const auto child : children) EXPECT_EQ(end_of(child), 0);
  EXPECT_TRUE(folder.list().empty());
}

TEST(Temporary, OtherNamesAndLinksAreLeftAlone) {
  TempFolder folder;
  folder.write("elsewhere/precious", Bytes{1});
  folder.write(".velum-0123456.tmp", Bytes{1});
  folder.write(".velum-0123456g.tmp", Bytes{1});
  folder.write("velum-01234567.tmp", Bytes{1});
  folder.write(".velum-pending/a", Bytes{1});
  std::filesystem::create_symlink("elsewhere/precious", folder / ".velum-00000001.tmp");
  std::filesystem::create_directory_symlink("elsewhere", folder / ".velum-00000002.tmp");
  folder.write(".velum-00000003.tmp", Bytes{1});
  folder.write(".velum-00000004.tmp/a", Bytes{1});
  folder.write(".velum-00000005.tmp/deeper/still/a", Bytes{1});  // nothing of Velum's
  folder.write(".velum-00000006.tmp/secret/a", Bytes{1});
  remove_abandoned(folder.path());
  EXPECT_EQ(sorted(folder.list()),
            (std::vector<std::string>{".velum-00000001.tmp", ".velum-00000002.tmp", ".velum-00000005.tmp",
                                      ".velum-0123456.tmp", ".velum-0123456g.tmp", ".velum-pending",
                                      "elsewhere", "velum-01234567.tmp"}));
  EXPECT_TRUE(std::filesystem::exists(folder / "elsewhere/precious"));
  EXPECT_TRUE(std::filesystem::exists(folder / ".velum-00000005.tmp/deeper/still/a"));
  remove_abandoned(folder / "nowhere");
}

}  // namespace
}  // namespace velum
