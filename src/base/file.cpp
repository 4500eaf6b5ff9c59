#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <random>

#include "base/error.h"

namespace velum {

namespace {

// A new file beside `path`; the name is random, since a process that was killed may have left one of any
// number.
int open_temporary(const std::string& path, unsigned mode, std::string& temporary) {
  std::random_device random;
  for (int attempt = 0;; ++attempt) {
    temporary = fmt::format("{}.{:08x}.tmp", path, random());
    const int fd = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    if (fd >= 0 || errno != EEXIST || attempt == 100) return fd;
  }
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::string& path, std::uint64_t max_bytes) {
  InputFile file(path);
  if (file.size() > max_bytes)
    fail_user("{}: {} bytes, at most {} expected; is it the right file?", path, file.size(), max_bytes);
  std::vector<std::uint8_t> bytes(file.size());
  file.read_at(0, bytes);
  return bytes;
}

AtomicFile::AtomicFile(std::string path, unsigned mode) : path_(std::move(path)) {
  // Renaming over a device or a folder would destroy it, or fail after all the work.
  struct stat s {};
  if (::stat(path_.c_str(), &s) == 0 && !S_ISREG(s.st_mode))
    fail_user("{}: cannot be written: it exists and is not a regular file; choose another name", path_);
  const int fd = open_temporary(path_, mode, temporary_);
  if (fd < 0)
    fail("{}: cannot be written: {}; choose a folder that exists and is writable", path_, errno_text());
  file_ = ::fdopen(fd, "wb");
  if (!file_) {
    ::close(fd);
    ::unlink(temporary_.c_str());
    fail("{}: cannot be written: {}", path_, errno_text());
  }
  // A private file holds secrets: no copy of them may stay in a buffer of the heap.
  if ((mode & 0077) == 0) std::setvbuf(file_, nullptr, _IONBF, 0);
}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  std::fclose(file_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
    fail("{}: writing failed after {} bytes: {}; nothing was left behind", path_, written_, errno_text());
  written_ += bytes.size();
}

void AtomicFile::write(std::string_view text) {
  write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

void AtomicFile::commit() {
  const bool flushed = std::fflush(file_) == 0 && ::fsync(::fileno(file_)) == 0;
  const std::string why = flushed ? "" : errno_text();
  const bool closed = std::fclose(file_) == 0;
  file_ = nullptr;
  if (!flushed || !closed || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const std::string cause = flushed ? errno_text() : why;
    ::unlink(temporary_.c_str());
    fail("{}: writing failed: {}; nothing was left behind", path_, cause);
  }
}

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> bytes, unsigned mode) {
  AtomicFile file(path, mode);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const std::string& path, std::string_view text, unsigned mode) {
  AtomicFile file(path, mode);
  file.write(text);
  file.commit();
}

void require_writable(const std::string& path) {
  const std::filesystem::path file(path);
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) fail_user("{}: is a folder; name a file", path);
  if (!std::filesystem::is_directory(folder, error))
    fail_user("{}: its folder does not exist; make it first", path);
  if (::access(folder.c_str(), W_OK) != 0) fail("{}: its folder cannot be written: {}", path, errno_text());
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error || !std::filesystem::is_directory(path))
    fail("{}: the folder cannot be made: {}", path,
         error ? error.message() : "a file of that name is in the way");
}

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  // Without O_NONBLOCK a pipe would wait here for its writer instead of being refused.
  if (fd_ < 0) fail_user("{}: cannot be opened: {}", path_, errno_text());
  struct stat s {};
  if (::fstat(fd_, &s) != 0 || !S_ISREG(s.st_mode)) {
    ::close(fd_);
    fail_user("{}: not a regular file", path_);
  }
  size_ = static_cast<std::uint64_t>(s.st_size);
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  if (offset > size_ || out.size() > size_ - offset)
    fail_user("{}: truncated: {} bytes needed at offset {}, the file has {}", path_, out.size(), offset,
              size_);
  std::size_t done = 0;
  while (done < out.size()) {
    const auto n = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      fail("{}: reading failed at offset {}: {}", path_, offset + done,
           n < 0 ? errno_text() : "the file became shorter");
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace velum
