// Files: whole reads with a limit, writes that appear complete or not at all.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace velum {

std::vector<std::uint8_t> read_file(const std::string& path,
                                    std::uint64_t max_bytes = std::uint64_t{1} << 40);

// Writes to a temporary name in the same folder; `commit` flushes to disk and renames. Destroyed without
// commit, it removes the temporary file, so that nothing half-written is left. Errors name the path and the
// cause.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path, unsigned mode = 0644);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();
  void write(std::span<const std::uint8_t> bytes);
  void write(std::string_view text);
  void commit();
  const std::string& path() const { return path_; }
  std::uint64_t written() const { return written_; }

 private:
  std::string path_, temporary_;
  std::FILE* file_ = nullptr;
  std::uint64_t written_ = 0;
};

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> bytes,
                           unsigned mode = 0644);
void write_file_atomically(const std::string& path, std::string_view text, unsigned mode = 0644);

// Refuses early, before long work, what write_file_atomically could not write: a path that is a folder, or
// whose folder is missing or not ours to write in. Opens nothing, leaves nothing.
void require_writable(const std::string& path);

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
  const std::string& path() const { return path_; }
  // Thread-safe. Refuses a read past the end as a truncated file.
  void read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;

 private:
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace velum
