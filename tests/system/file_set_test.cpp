#include "system/file_set.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/temp_folder.h"
#include "system/file.h"

namespace velum {
namespace {

using testing::Bytes;
using testing::expect_error;
using testing::expect_user_error;
using testing::slurp;
using testing::TempFolder;

namespace fs = std::filesystem;

const std::vector<std::string> kNames = {"a", "b"}, kInFolders = {"inner/b", "other/a"};

void fill(const FileSet& set, const std::string& text, const std::vector<std::string>& names = kNames) {
  for (const auto& name : names) write_file_atomically(set.staged(name), text + name);
}

std::string text_of(const std::string& path) {
  const auto bytes = slurp(path);
  return {bytes.begin(), bytes.end()};
}

TEST(FileSet, ANewFolderAppearsWhole) {
  TempFolder folder;
  for (const std::string name : {"plain", "with/parents", "slash/"}) {
    FileSet set(folder / name, kNames);
    write_file_atomically(set.staged("a"), "1");
    write_file_atomically(set.staged("b"), "2", kOwnerOnly);
    EXPECT_FALSE(fs::exists(folder / name));
    set.commit();
    EXPECT_EQ(text_of(folder / name + "/a"), "1");
    struct stat s {};
    ASSERT_EQ(::stat((folder / name + "/b").c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777u, 0600u);
  }
  EXPECT_EQ(folder.list().size(), 3u);
}

TEST(FileSet, WithoutCommitNothingIsLeft) {
  TempFolder folder;
  fs::create_directory(folder / "there");
  for (const std::string name : {"new", "there", "with/parents"}) {
    FileSet set(folder / name, kNames);
    fill(set, "x");
  }
  EXPECT_EQ(folder.list(), std::vector<std::string>{"there"});
  EXPECT_TRUE(fs::is_empty(folder / "there"));
}

TEST(FileSet, ReplacesAllAndLeavesTheRest) {
  TempFolder folder;
  for (const char* text : {"old ", "new "}) {
    FileSet set(folder / "k", kNames);
    fill(set, text);
    set.commit();
    write_file_atomically(folder / "k/other", "mine");
  }
  EXPECT_EQ(text_of(folder / "k/a"), "new a");
  EXPECT_EQ(text_of(folder / "k/b"), "new b");
  EXPECT_EQ(text_of(folder / "k/other"), "mine");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "k"), fs::directory_iterator()), 3);
}

// A folder before a name is made where it is not there, and keeps what else is in it where it is.
TEST(FileSet, NamesMayHaveAFolder) {
  TempFolder folder;
  {
    FileSet set(folder / "k", kInFolders);
    fill(set, "lost ", kInFolders);
  }
  EXPECT_TRUE(folder.list().empty());
  for (const char* text : {"old ", "new "}) {
    FileSet set(folder / "k", kInFolders);
    fs::permissions(set.staged("inner"), fs::perms::owner_all);
    fill(set, text, kInFolders);
    set.commit();
    write_file_atomically(folder / "k/inner/more", "mine");
  }
  fs::remove_all(folder / "k/other");
  {
    FileSet set(folder / "k", kInFolders);
    fill(set, "last ", kInFolders);
    set.commit();
  }
  for (const auto& name : kInFolders) EXPECT_EQ(text_of(folder / "k/" + name), "last " + name);
  EXPECT_EQ(text_of(folder / "k/inner/more"), "mine");
  EXPECT_EQ(fs::status(folder / "k/inner").permissions(), fs::perms::owner_all);
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator(folder / "k"), fs::recursive_directory_iterator()),
            5);
  fs::remove_all(folder / "k/other");
  write_file_atomically(folder / "k/other", "in the way");
  FileSet set(folder / "k", kInFolders);
  fill(set, "no ", kInFolders);
  expect_error(ErrorKind::failure, {"other is no folder", "as they were before"}, [&] { set.commit(); });
  EXPECT_EQ(text_of(folder / "k/inner/b"), "last inner/b");
}

// Any one of the names keeps the whole set out.
TEST(FileSet, KeepsWhatIsThere) {
  TempFolder folder;
  fs::create_directory(folder / "k");
  write_file_atomically(folder / "k/b", "old");
  expect_user_error({"k/b: exists; move it away"}, [&] { FileSet(folder / "k", kNames, "move it away"); });
  EXPECT_EQ(text_of(folder / "k/b"), "old");
}

// The loser of a race is told, whatever there was when both began.
TEST(FileSet, TwoWritersOneWins) {
  TempFolder folder;
  fs::create_directory(folder / "there");
  for (const std::string name : {"new", "there"}) {
    FileSet one(folder / name, kNames, "keep"), two(folder / name, kNames, "keep");
    fill(one, "one ");
    fill(two, "two ");
    one.commit();
    expect_user_error({"exists; keep"}, [&] { two.commit(); });
    EXPECT_EQ(text_of(folder / name + "/a"), "one a");
    EXPECT_EQ(text_of(folder / name + "/b"), "one b");
  }
}

// Killed between any two changes of the file system, with old files there, without, and in a new folder: what
// is read next is all old or all new, and nothing of it is lost.
void kill_at_every_step(const std::vector<std::string>& names) {
  for (const std::string before : {"old ", "none", "no folder"})
    for (int step = 0;; ++step) {
      TempFolder folder;
      const auto k = folder / "k";
      if (before != "no folder") fs::create_directory(k);
      if (before == "old ")
        for (const auto& name : names) {
          fs::create_directories(fs::path(k + "/" + name).parent_path());
          write_file_atomically(k + "/" + name, before + name);
        }
      const auto child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        FileSet set(k, names);
        fill(set, "new ", names);
        int left = step;
        set.commit([&] {
          if (left-- == 0) ::kill(::getpid(), SIGKILL);
        });
        ::_exit(0);
      }
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      finish_file_set(k);
      const auto now = fs::exists(k + "/" + names[0]) ? text_of(k + "/" + names[0]).substr(0, 4) : before;
      EXPECT_TRUE(now == "new " || now == before) << before << " step " << step << ": " << now;
      for (const auto& name : names) {
        const auto file = k + "/" + name;
        const bool wanted = now == "new " || before == "old ";
        EXPECT_EQ(fs::exists(file) ? text_of(file) : "none", wanted ? now + name : "none")
            << before << " step " << step;
      }
      EXPECT_FALSE(fs::exists(k + "/" + kPendingFolder));
      // The next writer is not hindered by what is left.
      FileSet set(k, names);
      fill(set, "next ", names);
      set.commit();
      EXPECT_EQ(text_of(k + "/" + names[1]), "next " + names[1]);
      if (WIFEXITED(status)) {
        EXPECT_EQ(now, "new ");
        EXPECT_GE(step, before == "no folder" ? 2 : 4) << "fewer steps than there are";
        break;
      }
    }
}

TEST(FileSet, AKilledWriterLeavesThePairOldOrNew) {
  kill_at_every_step(kNames);
  kill_at_every_step(kInFolders);
}

// What waits for its place is put there by the next reader, or he is told why not.
TEST(FileSet, WhatIsPendingIsCompletedOrNamed) {
  TempFolder folder;
  fs::create_directories(folder / "k/" + kPendingFolder);
  write_file_atomically(folder / "k/a", "new a");
  write_file_atomically(folder / "k/b", "old b");
  write_file_atomically(folder / "k/.velum-pending/b", "new b");
  fs::create_directory(folder / "k/c");
  write_file_atomically(folder / "k/.velum-pending/c", "new c");
  expect_error(ErrorKind::failure, {"/k: new files wait in ", "c: Is a directory"},
               [&] { finish_file_set(folder / "k"); });
  EXPECT_EQ(text_of(folder / "k/b"), "new b");
  fs::remove(folder / "k/c");
  finish_file_set(folder / "k");
  EXPECT_EQ(text_of(folder / "k/c"), "new c");
  finish_file_set(folder / "k");
  finish_file_set(folder / "nowhere");
}

// The second rename fails: the first file is what it was.
TEST(FileSet, AFailureHalfwayPutsEverythingBack) {
  TempFolder folder;
  fs::create_directories(folder / "k");
  write_file_atomically(folder / "k/a", "old");
  {
    FileSet set(folder / "k", kNames);
    write_file_atomically(set.staged("a"), "new");  // and no b
    expect_error(ErrorKind::failure, {"/k: ", "as they were before"}, [&] { set.commit(); });
  }
  fs::create_directory(folder / "k/b");
  {
    FileSet set(folder / "k", kNames);
    fill(set, "new ");
    expect_error(ErrorKind::failure, {"/k: ", "b is a folder", "as they were before"}, [&] { set.commit(); });
  }
  fs::remove(folder / "k/b");
  EXPECT_EQ(text_of(folder / "k/a"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "k"), fs::directory_iterator()), 1);
}

TEST(FileSet, FollowsALinkToAFolder) {
  TempFolder folder;
  fs::create_directory(folder / "real");
  fs::create_directory_symlink("real", folder / "link");
  FileSet set(folder / "link", kNames);
  fill(set, "");
  set.commit();
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(text_of(folder / "real/a"), "a");
}

TEST(FileSet, SaysWhatIsInTheWay) {
  TempFolder folder;
  folder.write("file", Bytes{1});
  expect_error(ErrorKind::failure, {"file", "in the way"}, [&] { FileSet(folder / "file", kNames); });
  expect_error(ErrorKind::failure, {"cannot be made"}, [&] { FileSet(folder / "file/k", kNames); });
  expect_user_error({"empty"}, [&] { FileSet("", kNames); });
}

}  // namespace
}  // namespace velum
