// Progress of long work: a line with elapsed and remaining time on a terminal, nothing in a pipe.
#pragma once

#include <chrono>
#include <string>

namespace velum {

class Progress {
 public:
  // `total` in any unit of work, of which `begun` was done before: the remaining time goes by what has been
  // done since. Draws on stderr, and only where that is a terminal.
  Progress(std::string title, double total, double begun = 0);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void set(double done, const std::string& note = "");

 private:
  std::string title_;
  double total_, begun_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

// Seconds that are left where `elapsed` ones took the work from `begun` to `done` of `total`; negative while
// too little is done to say.
double remaining_seconds(double elapsed, double begun, double done, double total);

}  // namespace velum
