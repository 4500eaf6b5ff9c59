#include "system/place.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/error.h"
#include "system/terminal.h"

namespace velum {

namespace fs = std::filesystem;

namespace {

constexpr int kMostLinks = 40;  // as the system's own limit

// N where `path` is .../fd/N of this process in /proc, as /dev/stdout and /dev/fd/N are; -1 otherwise.
int own_descriptor(const fs::path& path) {
  std::error_code error;
  const auto folder = fs::canonical(folder_of(path.string()), error);
  if (error || folder != fmt::format("/proc/{}/fd", ::getpid())) return -1;
  const auto name = path.filename().string();
  int number = -1;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
  return code == std::errc() && end == name.data() + name.size() ? number : -1;
}

// Follows links until `stop` says so or there is none.
template <typename Stop>
fs::path follow(const std::string& path, Stop stop) {
  fs::path at = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(at, error)) && !stop(at); ++links) {
    if (links == kMostLinks) fail_user("{}: its links lead in a circle; name the file itself", path);
    const auto next = fs::read_symlink(at, error);
    if (error) fail_user("{}: its link cannot be followed: {}", path, error.message());
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  return at;
}

}  // namespace

fs::path folder_of(const std::string& path) {
  const fs::path p(path);
  return p.has_parent_path() ? p.parent_path() : fs::path(".");
}

std::string followed(const std::string& path) {
  return follow(path, [](const fs::path&) { return false; }).string();
}

OutputPlace place_of_output(const std::string& path) {
  if (path.empty()) fail_user("the name of a file to write is empty; name one");
  const auto at = follow(path, [](const fs::path& p) { return own_descriptor(p) >= 0; });
  if (const int descriptor = own_descriptor(at); descriptor >= 0)
    return {OutputPlace::Kind::descriptor, at.string(), descriptor};
  struct stat s {};
  if (::stat(at.c_str(), &s) != 0 || S_ISREG(s.st_mode)) return {OutputPlace::Kind::file, at.string(), -1};
  if (S_ISDIR(s.st_mode)) fail_user("{}: is a folder; name a file", path);
  return {OutputPlace::Kind::direct, at.string(), -1};
}

std::string sync_to_disk(int fd, const std::string& path) {
  if (::fsync(fd) == 0) return "";
  if (errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) return errno_text();
  note(
      fmt::format("{}: written, but its file system cannot say when it is on disk ({})", path, errno_text()));
  return "";
}

void sync_folder_of(const std::string& path) {
  const int fd = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);
  ::close(fd);
}

}  // namespace velum
