// Where an output goes: links followed, devices and pipes told from files, and what makes a file last.
#pragma once

#include <filesystem>
#include <string>

namespace velum {

struct OutputPlace {
  enum class Kind {
    file,        // a regular file, existing or new: written under a temporary name and renamed
    direct,      // a device, a pipe, a socket: opened and written
    descriptor,  // an open file of this process, such as /dev/stdout
  };
  Kind kind = Kind::file;
  std::string path;  // links followed
  int descriptor = -1;
};

// Throws Error(user) for a folder and for links that lead nowhere but to each other.
OutputPlace place_of_output(const std::string& path);

// The path that links lead to, which need not exist. Throws Error(user) for a loop.
std::string followed(const std::string& path);

std::filesystem::path folder_of(const std::string& path);  // "." where none is named

// fsync, and why it failed (empty: it did not). A file system that has no such thing is noted on stderr, by
// the name `path`, and is no failure: the bytes are written.
std::string sync_to_disk(int fd, const std::string& path);
// The entry in its folder, after a rename; best effort, since the file itself is safe.
void sync_folder_of(const std::string& path);

}  // namespace velum
