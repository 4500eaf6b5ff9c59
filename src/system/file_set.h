// Files of one folder, or of folders in it, that belong together: all of them appear, or none.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "system/unfinished.h"

namespace velum {

// Files are written to `staged(name)` and appear with `commit`: in a new folder by one rename of that folder.
// In one that is there, a rename gives all of them the name kPendingFolder in it, from where they are moved
// to their places under a lock, while signals wait. A process that is killed leaves the old files before that
// rename, and after it new ones that finish_file_set puts in place; whoever reads such files calls it first.
// A name may have one folder before it ("public/eval.keys"), which is made where it is not there.
// Destroyed without commit, nothing is left; what a killed process left under a temporary name goes with the
// next set (system/temporary.h).
class FileSet {
 public:
  // `keep`: what to say, after "PATH: exists; ", where one of the names is there already; empty: those are
  // replaced. Makes the folder's parents.
  FileSet(const std::string& folder, std::vector<std::string> names, std::string keep = "");
  FileSet(const FileSet&) = delete;
  FileSet& operator=(const FileSet&) = delete;
  ~FileSet();
  // Of a file, or of a folder that stands before names.
  std::string staged(const std::string& name) const;
  // `between` is called between any two changes of the file system, and may end the process: for tests.
  void commit(const std::function<void()>& between = [] {});

 private:
  void refuse_present() const;
  void unlock();
  void commit_into_folder(const std::function<void()>& between);

  std::string named_, folder_, stage_;        // as named; with links followed; beside it or in it
  int lock_ = -1;                             // of the stage
  std::vector<std::string> names_, folders_;  // folders_: that stand before names, each once
  std::string keep_;
  bool is_new_;
  std::vector<std::string> made_;  // parents that were not there, the deepest first
  std::vector<std::unique_ptr<Unfinished>> unfinished_;
};

inline constexpr const char* kPendingFolder = ".velum-pending";
// Completes a commit into this folder whose process was killed; nothing to do where there was none.
void finish_file_set(const std::string& folder);

}  // namespace velum
