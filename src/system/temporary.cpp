#include "system/temporary.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <random>
#include <string_view>

namespace velum {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kBegin = ".velum-", kEnd = ".tmp";
constexpr std::size_t kDigits = 8;

std::string temporary_name(const fs::path& folder) {
  std::random_device random;
  return (folder / fmt::format("{}{:08x}{}", kBegin, random(), kEnd)).string();
}

bool is_temporary_name(std::string_view name) {
  return name.size() == kBegin.size() + kDigits + kEnd.size() && name.starts_with(kBegin) &&
         name.ends_with(kEnd) &&
         std::ranges::all_of(name.substr(kBegin.size(), kDigits),
                             [](unsigned char c) { return std::isxdigit(c); });
}

// Locks what was just made. False where somebody takes it for abandoned in this very moment. (Without locks
// nobody removes anything.)
bool lock_made(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0;
}

// Makes one under random names until one is new: a process that was killed may have left one of any name.
template <typename Make>
int make_locked(const fs::path& folder, std::string& temporary, Make make) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary = temporary_name(folder);
    const int fd = make(temporary.c_str());
    if (fd >= 0) {
      if (lock_made(fd, temporary)) return fd;
      ::close(fd);
      if (::unlink(temporary.c_str()) != 0) (void)::rmdir(temporary.c_str());
      errno = EEXIST;
    }
    if (errno != EEXIST) return -1;
  }
  return -1;
}

// The lock of the file or folder `path`, where it is this user's and nobody has it; -1 otherwise.
int lock_of_abandoned(const fs::path& path) {
  constexpr int kFlags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int fd = ::open(path.c_str(), O_WRONLY | kFlags);  // NFS locks what is open for writing
  if (fd < 0) fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | kFlags);
  if (fd < 0) return -1;
  struct stat s {};
  if (::fstat(fd, &s) == 0 && s.st_uid == ::geteuid() && (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode)) &&
      ::flock(fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  ::close(fd);
  return -1;
}

// The files of an open folder, and of the folders in it, by its descriptor: its name may have come to lead
// elsewhere. `deeper`: how many folders down it goes.
void remove_files_of(int folder, int deeper = 1) {
  const int again = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = again < 0 ? nullptr : ::fdopendir(again);
  if (!entries) return;
  while (const auto* entry = ::readdir(entries)) {  // NOLINT(concurrency-mt-unsafe): of a stream of its own
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || ::unlinkat(folder, entry->d_name, 0) == 0 || deeper == 0) continue;
    const int inner = ::openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0) continue;
    remove_files_of(inner, deeper - 1);
    ::close(inner);
    (void)::unlinkat(folder, entry->d_name, AT_REMOVEDIR);
  }
  ::closedir(entries);
}

}  // namespace

int open_temporary(const fs::path& folder, unsigned mode, std::string& temporary) {
  return make_locked(folder, temporary, [&](const char* path) {
    return ::open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  });
}

int open_temporary_folder(const fs::path& folder, std::string& temporary) {
  return make_locked(folder, temporary, [](const char* path) {
    if (::mkdir(path, 0777) != 0) return -1;
    const int fd = ::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) errno = EEXIST;  // taken for abandoned: another name
    return fd;
  });
}

void remove_abandoned(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const auto& path = entry->path();
    if (!is_temporary_name(path.filename().string())) continue;
    const int fd = lock_of_abandoned(path);
    if (fd < 0) continue;
    if (::unlink(path.c_str()) != 0) {  // a folder, then
      remove_files_of(fd);
      (void)::rmdir(path.c_str());
    }
    ::close(fd);
  }
}

}  // namespace velum
