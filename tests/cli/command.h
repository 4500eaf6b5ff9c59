// Runs the built commands on a tiny network and tiny images, in a folder of their own.
#pragma once

#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::test {

struct Outcome {
  int code = 0;
  std::string out, err;
};

// Runs `line` by the shell in `folder`, with the built programs first on PATH.
Outcome shell(const std::string& line, const std::string& folder);

// A temporary folder with model.onnx, images.npy and labels.npy; gone with the object.
class Workplace {
 public:
  static constexpr std::size_t kImages = 20, kOutputs = 3;

  Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace();

  const std::string& folder() const { return folder_; }
  const model::Graph& graph() const { return graph_; }
  const std::vector<float>& images() const { return images_; }
  const std::vector<std::int32_t>& labels() const { return labels_; }

  Outcome run(const std::string& line) const { return shell(line, folder_); }
  // As run, but a failure is a failure of the test.
  Outcome must(const std::string& line) const;
  std::string read(const std::string& file) const;
  void write(const std::string& file, const std::string& contents) const;
  bool exists(const std::string& file) const;
  std::vector<std::string> files() const;  // all paths below the folder, sorted

  // The steps up to encrypted results: plan/, keys/, batch.vct, logits.vct.
  void plan() const;
  void keygen() const;
  void encrypt() const;
  void infer() const;

 private:
  std::string folder_;
  model::Graph graph_;
  std::vector<float> images_;
  std::vector<std::int32_t> labels_;
};

inline const std::string kData = "--data npy:images.npy,labels.npy";

std::string npy_floats(const std::vector<float>& values, const std::vector<std::size_t>& shape);
std::string npy_int32(const std::vector<std::int32_t>& values);
std::vector<std::string> lines(const std::string& text);

}  // namespace velum::test
