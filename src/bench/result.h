// The JSON of a benchmark: what it measured, repetition by repetition, and where. `velum bench compare` reads
// it back.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/json.h"

namespace velum::bench {

inline constexpr int kBenchVersion = 1;

// {"bench": kind, "version": 1, "machine": {...}, "measurements": []}, to be added to.
Json bench_result(const std::string& kind);
// {"name", "unit", "samples", "median", "quartiles"}. Smaller is better.
Json measurement(const std::string& name, const std::string& unit, const std::vector<double>& samples);

struct Measurement {
  std::string name, unit;
  std::vector<double> samples;
};
struct BenchFile {  // NOLINT(bugprone-exception-escape): of a Json, whose move does not throw
  std::string path, kind;
  Json machine;
  std::vector<Measurement> measurements;
};
// Reads a result, bare or as tools/record.sh stores it. Throws Error(user) naming the file and what is wrong
// in it.
BenchFile read_bench_file(const std::string& path);

}  // namespace velum::bench
