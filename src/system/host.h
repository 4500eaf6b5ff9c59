// Where a Linux system says what this process may have: /proc, and the control groups that it belongs to.
#pragma once

#include <string>
#include <vector>

namespace velum {

// Tests have their own.
struct HostFiles {
  std::string proc = "/proc";
  std::string groups = "/sys/fs/cgroup";
};

// The folders of the control groups of this process for `controller` ("memory", "cpu"), from its own up to
// the root, in the unified hierarchy and in that controller's own (version 1). Limits hold on every level.
// Some may not exist: in a container the names of /proc/self/cgroup can be those outside.
std::vector<std::string> control_groups(const HostFiles& host, const std::string& controller);

}  // namespace velum
