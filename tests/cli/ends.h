// A folder in which commands succeed, or refuse and change nothing.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "cli/command.h"

namespace velum::test {

class Ends : public ::testing::Test {
 protected:
  void prepare() {
    w.plan();
    w.keygen();
    w.encrypt();
    w.infer();
  }
  // One line that holds `says`, `code`, and a folder as it was, byte by byte.
  void refuses(const std::string& line, int code, const std::string& says) {
    const auto before = contents();
    const auto outcome = w.run(line);
    EXPECT_EQ(outcome.code, code) << line << "\n" << outcome.out << outcome.err;
    EXPECT_EQ(lines(outcome.err).size(), 1u) << line << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << line << "\n" << outcome.err;
    EXPECT_TRUE(contents() == before) << line;
  }
  std::vector<std::string> contents() const {
    std::vector<std::string> all;
    for (const auto& file : w.files()) {
      std::error_code error;  // links may lead nowhere
      all.push_back(file + (std::filesystem::is_regular_file(path(file), error) ? ": " + w.read(file) : ""));
    }
    return all;
  }
  std::string path(const std::string& file) const { return w.folder() + "/" + file; }
  unsigned mode(const std::string& file) const {
    struct stat s {};
    return ::stat(path(file).c_str(), &s) == 0 ? s.st_mode & 0777u : 0;
  }

  Workplace w;
  const std::string encrypt =
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key " + kData + " ";
  const std::string infer =
      "velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct ";
  const std::string decrypt =
      "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct ";
};

}  // namespace velum::test
