#include "cli/exec_program.h"

#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/error.h"

namespace velum::cli {

void exec_program(const std::string& program, int argc, char** argv, const std::string& remedy) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto path = (error ? std::filesystem::path(argv[0]) : self).parent_path() / program;
  if (!std::filesystem::exists(path, error)) fail_user("{} is not installed; {}", path.string(), remedy);
  std::vector<char*> arguments;
  std::string name = path.string();
  arguments.push_back(name.data());
  for (int i = 2; i < argc; ++i) arguments.push_back(argv[i]);
  arguments.push_back(nullptr);
  ::execv(name.c_str(), arguments.data());
  fail("{} cannot be started: {}", name, errno_text());
}

}  // namespace velum::cli
