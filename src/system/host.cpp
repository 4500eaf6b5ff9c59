#include "system/host.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace velum {

namespace {

namespace fs = std::filesystem;

// root/a/b, root/a, root for "/a/b".
void add_levels(std::vector<std::string>& out, const fs::path& root, const std::string& group) {
  fs::path below = fs::path(group).relative_path().lexically_normal();
  for (const auto& part : below)
    if (part == "..") below.clear();  // outside of what this process sees
  for (; !below.empty() && below != "."; below = below.parent_path()) out.push_back((root / below).string());
  out.push_back(root.string());
}

bool names_controller(const std::string& list, const std::string& controller) {
  std::istringstream in(list);
  for (std::string one; std::getline(in, one, ',');)
    if (one == controller) return true;
  return false;
}

}  // namespace

std::vector<std::string> control_groups(const HostFiles& host, const std::string& controller) {
  std::vector<std::string> out;
  const fs::path root(host.groups);
  std::string unified, own, list = controller;
  std::ifstream in(host.proc + "/self/cgroup");  // lines of "NUMBER:CONTROLLERS:GROUP"
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) unified = group;
    if (names_controller(controllers, controller)) own = group, list = controllers;
  }
  add_levels(out, root, unified);
  add_levels(out, root / "unified", unified);
  add_levels(out, root / controller, own);
  if (list != controller) add_levels(out, root / list, own);  // "cpu,cpuacct"
  return out;
}

}  // namespace velum
