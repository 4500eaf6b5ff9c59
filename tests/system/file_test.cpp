#include "system/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/temp_folder.h"

namespace {

int fsync_error = 0;         // what the next calls answer; 0: as the system does
std::vector<mode_t> synced;  // of what kind, in order

}  // namespace

// In place of the C library's.
extern "C" int fsync(int fd) {
  struct stat s {};
  ::fstat(fd, &s);
  synced.push_back(s.st_mode);
  if (!fsync_error) return static_cast<int>(::syscall(SYS_fsync, fd));
  errno = fsync_error;
  return -1;
}

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

TEST(AtomicFile, FoldersAreNotReplaced) {
  TempFolder folder;
  std::filesystem::create_directory(folder / "d");
  expect_user_error({"is a folder"}, [&] { AtomicFile file(folder / "d"); });
  expect_user_error({"empty"}, [] { AtomicFile file(""); });
}

// Renaming over a device would destroy it for everybody, as root.
TEST(AtomicFile, DevicesAndPipesAreWrittenDirectly) {
  TempFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "full");
  for (const auto& full : {std::string("/dev/full"), folder / "full"})
    expect_error(ErrorKind::failure, {full, "No space left"}, [&] { write_file_atomically(full, "text"); });
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "full"));
  write_file_atomically("/dev/null", "text");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));

  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int reader = ::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  write_file_atomically(folder / "pipe", "text");
  char got[8] = {};
  EXPECT_EQ(::read(reader, got, sizeof got), 4);
  EXPECT_STREQ(got, "text");
  ::close(reader);
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
}

TEST(AtomicFile, FollowsLinks) {
  TempFolder folder;
  std::filesystem::create_directories(folder / "real");
  write_file_atomically(folder / "real/x", "old");
  std::filesystem::create_symlink("real/x", folder / "one");
  std::filesystem::create_symlink("one", folder / "two");
  std::filesystem::create_symlink("real/new", folder / "dangling");
  write_file_atomically(folder / "two", "new");
  write_file_atomically(folder / "dangling", "made");
  for (const char* link : {"one", "two", "dangling"}) EXPECT_TRUE(std::filesystem::is_symlink(folder / link));
  EXPECT_EQ(slurp(folder / "real/x"), (Bytes{'n', 'e', 'w'}));
  EXPECT_EQ(slurp(folder / "real/new"), (Bytes{'m', 'a', 'd', 'e'}));
  std::filesystem::create_symlink("round", folder / "about");
  std::filesystem::create_symlink("about", folder / "round");
  expect_user_error({"round", "circle"}, [&] { AtomicFile file(folder / "round"); });
}

// As /dev/stdout is: what was written to the descriptor before and after stays around it.
TEST(AtomicFile, ADescriptorOfThisProcessIsWrittenAsItIs) {
  TempFolder folder;
  const int fd = ::open((folder / "x").c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_EQ(::write(fd, "a", 1), 1);
  std::filesystem::create_symlink(fmt::format("/proc/self/fd/{}", fd), folder / "link");
  write_file_atomically(fmt::format("/dev/fd/{}", fd), "b");
  write_file_atomically(folder / "link", "c");
  ASSERT_EQ(::write(fd, "d", 1), 1);
  ::close(fd);
  EXPECT_EQ(slurp(folder / "x"), (Bytes{'a', 'b', 'c', 'd'}));
  EXPECT_EQ(folder.list().size(), 2u);
}

// 255 bytes is what file systems take.
TEST(AtomicFile, TakesTheLongestNames) {
  TempFolder folder;
  const std::string longest(255, 'f');
  require_writable(folder / longest);
  write_file_atomically(folder / longest, "x");
  EXPECT_EQ(folder.list(), std::vector<std::string>{longest});
  expect_user_error({"too long"}, [&] { require_writable(folder / (longest + "f")); });
}

// What a share that knows no fsync answers; the file is whole all the same.
TEST(AtomicFile, KeepsTheFileWhereThereIsNoSync) {
  TempFolder folder;
  for (const int error : {EINVAL, ENOTSUP, ENOSYS}) {
    fsync_error = error;
    ::testing::internal::CaptureStderr();
    write_file_atomically(folder / "x", std::to_string(error));
    fsync_error = 0;
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                ::testing::AllOf(::testing::StartsWith("note: "), ::testing::HasSubstr("x: written")));
    EXPECT_EQ(slurp(folder / "x").size(), std::to_string(error).size());
  }
  fsync_error = EIO;
  expect_error(ErrorKind::failure, {"x: writing failed", "Input/output error", "as it was before"},
               [&] { write_file_atomically(folder / "x", "lost"); });
  fsync_error = 0;
  EXPECT_EQ(folder.list(), std::vector<std::string>{"x"});
}

// A rename is on disk when its folder is.
TEST(AtomicFile, SyncsTheFolderToo) {
  TempFolder folder;
  synced.clear();
  write_file_atomically(folder / "x", "x");
  ASSERT_EQ(synced.size(), 2u);
  EXPECT_TRUE(S_ISREG(synced[0]));
  EXPECT_TRUE(S_ISDIR(synced[1]));
}

TEST(SameFile, LooksThroughLinksAndBeyondWhatExists) {
  TempFolder folder;
  folder.write("x", Bytes{1});
  std::filesystem::create_symlink("x", folder / "link");
  std::filesystem::create_hard_link(folder / "x", folder / "hard");
  std::filesystem::create_directory(folder / "d");
  EXPECT_TRUE(same_file(folder / "x", folder / "link"));
  EXPECT_TRUE(same_file(folder / "x", folder / "hard"));
  EXPECT_TRUE(same_file(folder / "new", folder / "d/../new"));
  EXPECT_FALSE(same_file(folder / "x", folder / "new"));
  EXPECT_TRUE(same_file("no-such-file", "./no-such-file"));
  EXPECT_FALSE(same_file(folder / "d/x", folder / "x"));
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
