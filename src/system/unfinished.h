// Files under way, removed when the process ends before they are finished: by `exit`, which a library may
// call, or by a signal, where `handle_signals` was called. (What SIGKILL leaves is removed by the next
// writer: system/temporary.h.)
#pragma once

#include <cstddef>
#include <string>

namespace velum {

// Names one path, a file or a folder empty by then, for as long as it lives. A path beyond what the table
// holds is not remembered: it only stays behind in the rare case.
class Unfinished {
 public:
  explicit Unfinished(const std::string& path);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

 private:
  std::size_t slot_;
};

// For programs, not for libraries. SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE remove what is under way,
// then end the process as they would have; one that was ignored stays ignored (nohup). SIGXFSZ is ignored, so
// that a write beyond the limit on the size of files fails as on a full disk.
void handle_signals();

// While one lives those signals wait: for the moment in which several renames belong together.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
};

}  // namespace velum
