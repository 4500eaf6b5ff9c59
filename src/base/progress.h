// Progress of long work: a line with elapsed and remaining time on a terminal, nothing in a pipe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace velum {

class Progress {
 public:
  // `total` in any unit of work. Draws on stderr, and only where that is a terminal.
  Progress(std::string title, double total);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void set(double done, const std::string& note = "");

 private:
  std::string title_;
  double total_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_, last_;
};

std::string format_duration(double seconds);  // "850 ms", "12.3 s", "4 min 05 s"
std::string format_bytes(double bytes);       // "12.0 kB", "1.50 GiB" from 1 GiB on

}  // namespace velum
