#include "system/file_set.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "system/file.h"
#include "system/place.h"
#include "system/temporary.h"

namespace velum {

namespace fs = std::filesystem;

namespace {

std::string in(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

bool present(const std::string& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0;
}

// One process at a time changes a folder, where the file system has locks.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0) (void)::flock(fd_, LOCK_EX);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  int fd_;
};

std::string pending_in(const std::string& folder) {
  return in(folder, kPendingFolder);
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(fs::symlink_status(path, error));
}

// Moves what is pending to its places, under the lock; how many files, and what kept the next one (empty:
// nothing).
struct Placed {
  std::size_t files = 0;
  std::string cause;
};

void place_all(const std::string& pending, const std::string& folder, const std::function<void()>& between,
               Placed& placed) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(pending, error))
    names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  for (const auto& name : names) {
    const auto from = in(pending, name), to = in(folder, name);
    // A folder that is there already keeps what else is in it.
    if (is_folder(from) && fs::is_directory(to, error)) {
      place_all(from, to, between, placed);
      if (!placed.cause.empty()) {
        placed.cause = name + "/" + placed.cause;
        return;
      }
      continue;
    }
    if (::rename(from.c_str(), to.c_str()) != 0) {
      placed.cause = fmt::format("{}: {}", name, errno_text());
      return;
    }
    ++placed.files;
    between();
  }
  sync_folder_of(pending);
  ::rmdir(pending.c_str());
}

Placed place_pending(const std::string& folder, const std::function<void()>& between) {
  Placed placed;
  place_all(pending_in(folder), folder, between, placed);
  return placed;
}

[[noreturn]] void fail_pending(const std::string& folder, const std::string& cause) {
  fail(
      "{}: new files wait in {} for their places, and cannot be put there: {}; see to it that the folder can "
      "be "
      "written, then give the command again",
      folder, pending_in(folder), cause);
}

}  // namespace

FileSet::FileSet(const std::string& folder, std::vector<std::string> names, std::string keep)
    : named_(folder), names_(std::move(names)), keep_(std::move(keep)) {
  if (folder.empty()) fail_user("the name of a folder to write is empty; name one");
  // Without the slash at the end, which would make it a folder of its own.
  fs::path path(followed(folder));
  if (!path.has_filename()) path = path.parent_path();
  folder_ = path.string();
  std::error_code error;
  const auto status = fs::status(path, error);
  is_new_ = !fs::exists(status);
  if (!is_new_ && !fs::is_directory(status))
    fail("{}: the folder cannot be made: a file of that name is in the way", folder);
  if (!is_new_) finish_file_set(folder_);
  refuse_present();
  const fs::path around = is_new_ ? folder_of(folder_) : path;
  if (is_new_) {
    for (auto parent = around; !parent.empty() && !fs::exists(parent, error); parent = parent.parent_path())
      made_.push_back(parent.string());
    make_folder(around.string());
  }
  remove_abandoned(around);
  const SignalsHeld held;
  lock_ = open_temporary_folder(around, stage_);
  if (lock_ < 0) fail("{}: the folder cannot be written: {}", folder, errno_text());
  unfinished_.push_back(std::make_unique<Unfinished>(stage_));
  for (const auto& name : names_) {
    const auto inner = fs::path(name).parent_path().string();
    if (inner.empty() || std::ranges::find(folders_, inner) != folders_.end()) continue;
    if (::mkdir(staged(inner).c_str(), 0777) != 0) {
      const auto cause = errno_text();
      for (const auto& made : folders_) ::rmdir(staged(made).c_str());
      ::rmdir(stage_.c_str());
      unlock();
      fail("{}: the folder cannot be written: {}", folder, cause);
    }
    folders_.push_back(inner);
    unfinished_.push_back(std::make_unique<Unfinished>(staged(inner)));
  }
  for (const auto& name : names_) unfinished_.push_back(std::make_unique<Unfinished>(staged(name)));
}

FileSet::~FileSet() {
  if (!stage_.empty()) {
    for (const auto& name : names_) ::unlink(staged(name).c_str());
    for (const auto& inner : folders_) ::rmdir(staged(inner).c_str());
    ::rmdir(stage_.c_str());
    for (const auto& parent : made_) ::rmdir(parent.c_str());
  }
  unlock();
}

void FileSet::unlock() {
  if (lock_ >= 0) ::close(std::exchange(lock_, -1));
}

std::string FileSet::staged(const std::string& name) const {
  return in(stage_, name);
}

void FileSet::refuse_present() const {
  if (keep_.empty()) return;
  for (const auto& name : names_)
    if (present(in(folder_, name))) fail_user("{}: exists; {}", in(named_, name), keep_);
}

void FileSet::commit(const std::function<void()>& between) {
  const SignalsHeld held;
  between();
  if (is_new_ && ::rename(stage_.c_str(), folder_.c_str()) == 0) {
    between();
    sync_folder_of(folder_);
    stage_.clear();
    unfinished_.clear();
    unlock();
    return;
  }
  // Somebody may have made the folder meanwhile.
  if (is_new_ && errno != EEXIST && errno != ENOTEMPTY)
    fail("{}: the folder cannot be made: {}", named_, errno_text());
  commit_into_folder(between);
}

void FileSet::commit_into_folder(const std::function<void()>& between) {
  const FolderLock lock(folder_);
  if (present(pending_in(folder_)))
    if (const auto before = place_pending(folder_, [] {}); !before.cause.empty())
      fail_pending(folder_, before.cause);
  refuse_present();
  // Whatever could keep a file from its place is found while nothing is changed, if it can be.
  std::string cause;
  std::error_code ignored;
  for (const auto& name : names_) {
    if (!present(staged(name))) cause = fmt::format("{} was not written", name);
    if (is_folder(in(folder_, name))) cause = fmt::format("{} is a folder", name);
  }
  for (const auto& inner : folders_)
    if (present(in(folder_, inner)) && !fs::is_directory(in(folder_, inner), ignored))
      cause = fmt::format("{} is no folder", inner);
  for (const auto& name : names_) sync_folder_of(staged(name));
  if (cause.empty() && ::rename(stage_.c_str(), pending_in(folder_).c_str()) != 0) cause = errno_text();
  if (cause.empty()) {
    sync_folder_of(pending_in(folder_));
    between();
    const auto placed = place_pending(folder_, between);
    cause = placed.cause;
    if (placed.files > 0 && !cause.empty()) stage_.clear(), fail_pending(folder_, cause);
    if (!cause.empty()) (void)::rename(pending_in(folder_).c_str(), stage_.c_str());
  }
  if (!cause.empty())
    fail("{}: its files cannot be written: {}; they are as they were before", named_, cause);
  stage_.clear();
  unfinished_.clear();
  unlock();
  for (const auto& name : names_) sync_folder_of(in(folder_, name));
}

void finish_file_set(const std::string& folder) {
  if (!present(pending_in(folder))) return;
  const SignalsHeld held;
  const FolderLock lock(folder);
  if (!present(pending_in(folder))) return;
  if (const auto placed = place_pending(folder, [] {}); !placed.cause.empty())
    fail_pending(folder, placed.cause);
}

}  // namespace velum
