#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "base/temp_folder.h"

namespace velum {
namespace {

using testing::Bytes;
using testing::expect_error;
using testing::expect_user_error;
using testing::slurp;
using testing::TempFolder;

TEST(AtomicFile, AppearsWhole) {
  TempFolder folder;
  {
    AtomicFile file(folder / "x");
    file.write("one ");
    EXPECT_FALSE(std::filesystem::exists(folder / "x"));
    file.write("two");
    EXPECT_EQ(file.written(), 7u);
    file.commit();
  }
  EXPECT_EQ(slurp(folder / "x"), (Bytes{'o', 'n', 'e', ' ', 't', 'w', 'o'}));
  EXPECT_EQ(folder.list().size(), 1u);
}

TEST(AtomicFile, ReplacesOnlyWhenComplete) {
  TempFolder folder;
  write_file_atomically(folder / "x", "old");
  {
    AtomicFile file(folder / "x");
    file.write("new");
  }  // no commit
  EXPECT_EQ(slurp(folder / "x"), (Bytes{'o', 'l', 'd'}));
  EXPECT_EQ(folder.list(), std::vector<std::string>{"x"});
  write_file_atomically(folder / "x", "new");
  EXPECT_EQ(slurp(folder / "x"), (Bytes{'n', 'e', 'w'}));
}

TEST(AtomicFile, TwoWritersDoNotMeet) {
  TempFolder folder;
  AtomicFile a(folder / "x"), b(folder / "x");
  a.write("a");
  b.write("b");
  a.commit();
  b.commit();
  EXPECT_EQ(slurp(folder / "x"), Bytes{'b'});
  EXPECT_EQ(folder.list().size(), 1u);
}

TEST(AtomicFile, KeepsSecretsToTheirOwner) {
  TempFolder folder;
  write_file_atomically(folder / "secret", "s", 0600);
  struct stat s {};
  ASSERT_EQ(::stat((folder / "secret").c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777u, 0600u);
}

TEST(AtomicFile, AnUnwritableFolderIsAFailure) {
  TempFolder folder;
  expect_error(ErrorKind::failure, {"absent/x", "cannot be written", "No such file"},
               [&] { AtomicFile file(folder / "absent/x"); });
  folder.write("file", Bytes{1});
  expect_error(ErrorKind::failure, {"file/x", "Not a directory"},
               [&] { AtomicFile file(folder / "file/x"); });
}

TEST(AtomicFile, DevicesAndFoldersAreNotReplaced) {
  TempFolder folder;
  std::filesystem::create_directory(folder / "d");
  expect_user_error({"not a regular file"}, [&] { AtomicFile file(folder / "d"); });
  expect_user_error({"/dev/full", "not a regular file"}, [] { AtomicFile file("/dev/full"); });
}

// A limit on file size stands in for a full disk: writes fail half-way in the same place.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(AtomicFile, AFullDiskLeavesNothingBehind) {
  TempFolder folder;
  write_file_atomically(folder / "x", "old");
  const Bytes small(5000), large(1 << 20);
  for (const auto& bytes : {small, large}) {  // found at commit, found while writing
    const FullDisk full(4096);
    expect_error(ErrorKind::failure, {folder / "x", "writing failed"},
                 [&] { write_file_atomically(folder / "x", bytes); });
  }
  EXPECT_EQ(slurp(folder / "x"), (Bytes{'o', 'l', 'd'}));
  EXPECT_EQ(folder.list(), std::vector<std::string>{"x"});
}

TEST(InputFile, ReadsAnywhereWithinItsSize) {
  TempFolder folder;
  const auto path = folder.write("x", Bytes{1, 2, 3, 4, 5});
  const InputFile file(path);
  EXPECT_EQ(file.size(), 5u);
  Bytes two(2);
  file.read_at(3, two);
  EXPECT_EQ(two, (Bytes{4, 5}));
  expect_user_error({path, "truncated", "2 bytes needed at offset 4"}, [&] { file.read_at(4, two); });
  expect_user_error({"truncated"}, [&] { file.read_at(~std::uint64_t{0}, two); });
  file.read_at(5, {});
  EXPECT_EQ(read_file(path), (Bytes{1, 2, 3, 4, 5}));
  expect_user_error({"5 bytes", "at most 4"}, [&] { read_file(path, 4); });
}

TEST(InputFile, RefusesWhatIsNoFile) {
  TempFolder folder;
  expect_user_error({"absent", "cannot be opened", "No such file"},
                    [&] { InputFile file(folder / "absent"); });
  expect_user_error({"not a regular file"}, [&] { InputFile file(folder.path()); });
  expect_user_error({"not a regular file"}, [&] { InputFile file("/dev/zero"); });
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  expect_user_error({"not a regular file"}, [&] { InputFile file(folder / "pipe"); });
}

TEST(RequireWritable, RefusesWhatCouldNotBeWritten) {
  TempFolder folder;
  require_writable(folder / "new");
  folder.write("old", Bytes{1});
  require_writable(folder / "old");
  EXPECT_EQ(folder.list(), std::vector<std::string>{"old"});
  expect_user_error({folder.path(), "is a folder"}, [&] { require_writable(folder.path()); });
  expect_user_error({"missing/x", "does not exist"}, [&] { require_writable(folder / "missing/x"); });
}

TEST(MakeFolder, MakesParentsAndSaysWhatIsInTheWay) {
  TempFolder folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  folder.write("file", Bytes{1});
  expect_error(ErrorKind::failure, {"file", "cannot be made"}, [&] { make_folder(folder / "file"); });
  expect_error(ErrorKind::failure, {"file/x", "cannot be made"}, [&] { make_folder(folder / "file/x"); });
}

}  // namespace
}  // namespace velum
