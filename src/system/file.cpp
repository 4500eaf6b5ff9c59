#include "system/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "system/place.h"
#include "system/temporary.h"
#include "system/terminal.h"

namespace velum {

namespace fs = std::filesystem;

std::vector<std::uint8_t> read_file(const std::string& path, std::uint64_t max_bytes) {
  InputFile file(path);
  if (file.size() > max_bytes)
    fail_user("{}: {} bytes, at most {} expected; is it the right file?", path, file.size(), max_bytes);
  std::vector<std::uint8_t> bytes(file.size());
  file.read_at(0, bytes);
  return bytes;
}

SecretBuffer<std::uint8_t> read_secret_file(const std::string& path, std::uint64_t max_bytes) {
  InputFile file(path);
  if (file.mode() & 0077)
    fail_user(
        "{}: others than its owner may use it (mode {:04o}); give it to its owner alone (chmod 600), and if "
        "somebody may have read it make a new one",
        path, file.mode());
  if (file.size() > max_bytes)
    fail_user("{}: {} bytes, at most {} expected; is it the right file?", path, file.size(), max_bytes);
  SecretBuffer<std::uint8_t> bytes(file.size());
  file.read_at(0, bytes.span());
  return bytes;
}

AtomicFile::AtomicFile(std::string path, unsigned mode) : path_(std::move(path)) {
  const auto place = place_of_output(path_);
  target_ = place.path;
  int fd = -1;
  if (place.kind == OutputPlace::Kind::descriptor) {
    std::fflush(nullptr);  // what was printed to it before comes first
    fd = ::fcntl(place.descriptor, F_DUPFD_CLOEXEC, 3);
  } else if (place.kind == OutputPlace::Kind::direct) {
    fd = ::open(target_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  } else {
    remove_abandoned(folder_of(target_));
    const SignalsHeld held;
    fd = open_temporary(folder_of(target_), mode, temporary_);
    if (fd >= 0) unfinished_ = std::make_unique<Unfinished>(temporary_);
  }
  if (fd < 0)
    fail("{}: cannot be written: {}; choose a folder that exists and is writable", path_, errno_text());
  file_ = ::fdopen(fd, "wb");
  if (!file_) {
    ::close(fd);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    fail("{}: cannot be written: {}", path_, errno_text());
  }
  // A private file holds secrets: no copy of them may stay in a buffer of the heap.
  if ((mode & 0077) == 0) std::setvbuf(file_, nullptr, _IONBF, 0);
}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  std::fclose(file_);
}

void AtomicFile::fail_writing(const std::string& cause) {
  if (temporary_.empty())
    fail("{}: writing failed: {}; what it took before, {} bytes at most, is incomplete", path_, cause,
         written_);
  ::unlink(temporary_.c_str());
  fail("{}: writing failed after {} bytes: {}; it is as it was before", path_, written_, cause);
}

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size())
    fail_writing(errno_text());
  written_ += bytes.size();
}

void AtomicFile::write(std::string_view text) {
  write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

void AtomicFile::commit() {
  const bool atomic = !temporary_.empty();
  const bool flushed = std::fflush(file_) == 0;
  std::string cause = flushed ? "" : errno_text();
  if (flushed && atomic) cause = sync_to_disk(::fileno(file_), path_);
  // Until it has its name it must not pass for abandoned.
  const int lock = atomic ? ::fcntl(::fileno(file_), F_DUPFD_CLOEXEC, 3) : -1;
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (cause.empty() && !closed) cause = errno_text();
  if (cause.empty() && atomic && ::rename(temporary_.c_str(), target_.c_str()) != 0) cause = errno_text();
  if (lock >= 0) ::close(lock);
  if (!cause.empty()) fail_writing(cause);
  if (atomic) sync_folder_of(target_);
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
  const auto place = place_of_output(path);
  if (place.kind == OutputPlace::Kind::descriptor) return;
  if (place.kind == OutputPlace::Kind::direct) {
    if (::access(place.path.c_str(), W_OK) != 0) fail("{}: cannot be written: {}", path, errno_text());
    return;
  }
  const fs::path folder = folder_of(place.path);
  std::error_code error;
  if (!fs::is_directory(folder, error)) fail_user("{}: its folder does not exist; make it first", path);
  // The name itself is tried by looking it up; the folder by a file in it.
  struct stat s {};
  if (::lstat(place.path.c_str(), &s) != 0 && errno != ENOENT)
    fail_user("{}: cannot be written: {}; choose another name", path, errno_text());
  std::string temporary;
  const SignalsHeld held;
  const int fd = open_temporary(folder, 0600, temporary);
  if (fd < 0) fail("{}: its folder cannot be written: {}", path, errno_text());
  ::close(fd);
  ::unlink(temporary.c_str());
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const auto place = [](const std::string& path) {
    std::error_code ignored;  // what cannot be looked up is compared as it is written
    const auto whole = fs::absolute(followed(path), ignored);
    const auto found = fs::weakly_canonical(whole, ignored);
    return found.empty() ? whole : found;
  };
  return place(a) == place(b);
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path, error))
    fail("{}: the folder cannot be made: {}", path,
         error ? error.message() : "a file of that name is in the way");
}

namespace {

std::int64_t written_ns(const struct stat& s) {
  return std::int64_t{s.st_mtim.tv_sec} * 1'000'000'000 + s.st_mtim.tv_nsec;
}

}  // namespace

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
  mode_ = s.st_mode & 07777u;
  written_ns_ = written_ns(s);
}

bool InputFile::changed() const {
  struct stat s {};
  return ::fstat(fd_, &s) != 0 || static_cast<std::uint64_t>(s.st_size) != size_ ||
         written_ns(s) != written_ns_;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint64_t InputFile::hole_bytes() const {
  std::uint64_t data = 0;
  const auto end = static_cast<off_t>(size_);
  for (off_t at = 0; at < end;) {
    const auto begin = ::lseek(fd_, at, SEEK_DATA);
    if (begin < 0) {
      if (errno == ENXIO) break;  // a hole up to the end
      return 0;
    }
    at = ::lseek(fd_, begin, SEEK_HOLE);
    if (at < 0) return 0;
    data += static_cast<std::uint64_t>(at - begin);
  }
  return size_ - std::min(data, size_);
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
