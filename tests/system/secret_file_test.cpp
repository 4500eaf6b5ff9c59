// A secret in memory on its way from and to its file: looked at in the moment in which the system copies it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/temp_folder.h"
#include "system/file.h"

namespace {

// Where a block of the call under test lay, and what the system's list of mappings said of it then.
struct Seen {
  bool looking = false;
  std::vector<std::string> flags;  // VmFlags of the mapping, one line a call
};
Seen seen;

std::string flags_of(const void* address) {
  std::ifstream in("/proc/self/smaps");
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = at >= begin && at < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

void look(const void* address) {
  if (!seen.looking) return;
  seen.looking = false;  // what follows reads files too
  seen.flags.push_back(flags_of(address));
  seen.looking = true;
}

}  // namespace

// In place of the C library's.
extern "C" ssize_t pread(int fd, void* out, std::size_t bytes, off_t offset) {
  look(out);
  return ::syscall(SYS_pread64, fd, out, bytes, offset);
}

extern "C" ssize_t pread64(int fd, void* out, std::size_t bytes, off_t offset) {
  return pread(fd, out, bytes, offset);
}

namespace velum {
namespace {

using testing::Bytes;
using testing::expect_user_error;
using testing::TempFolder;

TEST(SecretFile, IsReadIntoMemoryThatNoCoreDumpHolds) {
  TempFolder folder;
  const Bytes secret(3000, 0x5a);
  write_file_atomically(folder / "secret", std::span(secret), kOwnerOnly);
  seen = {true, {}};
  const auto bytes = read_secret_file(folder / "secret", 1 << 20);
  seen.looking = false;
  ASSERT_EQ(seen.flags.size(), 1u);
  EXPECT_NE(seen.flags[0].find(" dd "), std::string::npos) << seen.flags[0];  // "do not dump"
  EXPECT_TRUE(std::equal(secret.begin(), secret.end(), bytes.span().begin()));
}

TEST(SecretFile, OfOthersIsRefused) {
  TempFolder folder;
  write_file_atomically(folder / "secret", "s", kOwnerOnly);
  EXPECT_EQ(read_secret_file(folder / "secret", 10).size(), 1u);
  for (const unsigned mode : {0640u, 0604u, 0644u, 0620u}) {
    ::chmod((folder / "secret").c_str(), mode);
    expect_user_error({"secret: others", "chmod 600"}, [&] { read_secret_file(folder / "secret", 10); });
  }
  ::chmod((folder / "secret").c_str(), 0400);
  EXPECT_EQ(read_secret_file(folder / "secret", 10).size(), 1u);
  expect_user_error({"1 bytes", "at most 0"}, [&] { read_secret_file(folder / "secret", 0); });
}

}  // namespace
}  // namespace velum
