// Files of predictions, as the commands write them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/command.h"

namespace velum::test {

inline std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> all;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) all.push_back(cell);
  return all;
}

// The columns output_0 and on of a file of predictions, row by row.
inline std::vector<double> outputs_in(const Workplace& w, const std::string& file) {
  const auto rows = lines(w.read(file));
  const auto names = cells(rows.at(0));
  const auto first =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), "output_0") - names.begin());
  std::vector<double> all;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto row = cells(rows[i]);
    for (auto c = first; c < names.size(); ++c) all.push_back(std::stod(row.at(c)));
  }
  return all;
}

inline void expect_near(const std::vector<double>& some, const std::vector<double>& others,
                        double tolerance) {
  ASSERT_EQ(some.size(), others.size());
  for (std::size_t i = 0; i < some.size(); ++i) EXPECT_NEAR(some[i], others[i], tolerance) << i;
}

}  // namespace velum::test
