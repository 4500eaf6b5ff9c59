#include "cli/command.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/error.h"
#include "model/execute.h"
#include "model/onnx.h"
#include "support/graphs.h"

namespace velum::test {

namespace fs = std::filesystem;

namespace {

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string new_folder() {
  std::string name = (fs::temp_directory_path() / "velum-cli-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  return name;
}

std::string npy(const std::string& type, const std::vector<std::size_t>& shape, const void* data,
                std::size_t bytes) {
  std::string dims;
  for (const auto d : shape) dims += std::to_string(d) + ",";
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + dims + "), }";
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 255);
  file += static_cast<char>(header.size() >> 8);
  return file + header + std::string(static_cast<const char*>(data), bytes);
}

}  // namespace

std::string npy_floats(const std::vector<float>& values, const std::vector<std::size_t>& shape) {
  return npy("<f4", shape, values.data(), values.size() * sizeof(float));
}

std::string npy_int32(const std::vector<std::int32_t>& values) {
  return npy("<i4", {values.size()}, values.data(), values.size() * sizeof(std::int32_t));
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

Outcome shell(const std::string& line, const std::string& folder) {
  // The streams go to a folder of their own: tests run side by side, and look at what a command left in its
  // folder.
  const std::string streams = new_folder(), out = streams + "/out", err = streams + "/err",
                    script = streams + "/script";
  const auto bin = fs::path(VELUM_PROGRAM).parent_path().string();
  // Rates that the user may have calibrated must not change what is tested.
  std::ofstream(script) << "export PATH=" << bin << ":$PATH\nexport VELUM_RATES=builtin\ncd " << folder
                        << "\n"
                        << line << "\n";
  const int status = std::system(("bash " + script + " >" + out + " 2>" + err).c_str());
  Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(out), slurp(err)};
  fs::remove_all(streams);
  return outcome;
}

Workplace::Workplace() : folder_(new_folder()) {
  GraphBuilder builder({1, 4, 4});
  auto x = builder.flatten(builder.input(), 16);
  x = builder.dense(x, 16, 6);
  x = builder.quadratic(x, {6});
  x = builder.dense(x, 6, 5);
  x = builder.quadratic(x, {5});  // the second square makes a relinearisation key necessary
  x = builder.dense(x, 5, kOutputs);
  graph_ = builder.finish(x);
  graph_.name = "tiny";
  std::mt19937 random(11);
  std::uniform_real_distribution<float> pixel(0, 1);
  images_.resize(kImages * 16);
  for (auto& p : images_) p = pixel(random);
  model::calibrate(graph_, images_, kImages, 0.5);
  const auto outputs = model::execute(graph_, images_, kImages);
  for (std::size_t i = 0; i < kImages; ++i) {
    const auto row = outputs.begin() + static_cast<std::ptrdiff_t>(i * kOutputs);
    const auto best = static_cast<std::int32_t>(std::max_element(row, row + kOutputs) - row);
    // One label in five is not what the network says, so that accuracies are not all 1.
    labels_.push_back(i % 5 == 4 ? (best + 1) % static_cast<std::int32_t>(kOutputs) : best);
  }
  model::save_onnx(graph_, folder_ + "/model.onnx");
  write("images.npy", npy_floats(images_, {kImages, 1, 4, 4}));
  write("labels.npy", npy_int32(labels_));
}

Workplace::~Workplace() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

Outcome Workplace::must(const std::string& line) const {
  auto outcome = run(line);
  EXPECT_EQ(outcome.code, 0) << line << "\n" << outcome.err;
  return outcome;
}

std::string Workplace::read(const std::string& file) const {
  return slurp(fs::path(folder_) / file);
}

void Workplace::write(const std::string& file, const std::string& contents) const {
  std::ofstream(fs::path(folder_) / file, std::ios::binary) << contents;
}

bool Workplace::exists(const std::string& file) const {
  return fs::exists(fs::path(folder_) / file);
}

std::vector<std::string> Workplace::files() const {
  std::vector<std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder_))
    all.push_back(entry.path().lexically_relative(folder_).string());
  std::ranges::sort(all);
  return all;
}

void Workplace::plan() const {
  must("velum plan model.onnx --out plan/");
}
void Workplace::keygen() const {
  must("velum keygen --plan plan/client.plan --out keys/");
}
void Workplace::encrypt() const {
  must("velum encrypt --plan plan/client.plan --key keys/secret/secret.key " + kData + " --out batch.vct");
}
void Workplace::infer() const {
  must("velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct --out logits.vct");
}

}  // namespace velum::test
