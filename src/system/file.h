// Files: whole reads with a limit, writes that appear complete or not at all.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.h"
#include "system/unfinished.h"

namespace velum {

std::vector<std::uint8_t> read_file(const std::string& path,
                                    std::uint64_t max_bytes = std::uint64_t{1} << 40);
// The same into memory that is locked, left out of core dumps and wiped. Refuses a file that others than its
// owner may read.
SecretBuffer<std::uint8_t> read_secret_file(const std::string& path, std::uint64_t max_bytes);

// For files that are their owner's alone: keys, and what was decrypted.
inline constexpr unsigned kOwnerOnly = 0600;

// Writes to a temporary name in the same folder; `commit` flushes to disk and renames. Destroyed without
// commit, it removes the temporary file, so that nothing half-written is left; what a process that was killed
// left in the folder goes when the next one is made there (system/temporary.h). Links are followed; what is
// no regular file (a device, a pipe) is written directly, and so is a descriptor of this process
// (/dev/stdout). Errors name the path and the cause.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path, unsigned mode = 0644);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();
  void write(std::span<const std::uint8_t> bytes);
  void write(std::string_view text);
  // Where the file system cannot confirm that the bytes are on disk the file is kept, with a note on stderr.
  void commit();
  const std::string& path() const { return path_; }
  std::uint64_t written() const { return written_; }

 private:
  [[noreturn]] void fail_writing(const std::string& cause);

  std::string path_, target_, temporary_;  // as named; with links followed; empty where written directly
  std::unique_ptr<Unfinished> unfinished_;
  std::FILE* file_ = nullptr;
  std::uint64_t written_ = 0;
};

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> bytes,
                           unsigned mode = 0644);
void write_file_atomically(const std::string& path, std::string_view text, unsigned mode = 0644);

// Refuses early, before long work, what AtomicFile could not write: a folder, a path whose folder is missing
// or takes no new file, a name that is too long. Leaves nothing.
void require_writable(const std::string& path);

// Whether two paths name one file, or would: links are followed, and the file need not exist.
bool same_file(const std::string& a, const std::string& b);

// Makes the folder and its parents; a clear error where that cannot be.
void make_folder(const std::string& path);

// Sequential and random reading of a large file, without holding it in memory.
class InputFile {
 public:
  explicit InputFile(std::string path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();
  std::uint64_t size() const { return size_; }
  unsigned mode() const { return mode_; }  // permission bits
  // Bytes that were never written and take no room on the disk, as far as the file system says.
  std::uint64_t hole_bytes() const;
  const std::string& path() const { return path_; }
  // Thread-safe. Refuses a read past the end as a truncated file.
  void read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;
  // Whether it was written to since it was opened, by its size and time of change.
  bool changed() const;

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t written_ns_ = 0;
  unsigned mode_ = 0;
};

}  // namespace velum
