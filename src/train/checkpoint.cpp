#include "train/checkpoint.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

namespace velum::train {

namespace {

nlohmann::json to_json(const std::vector<EpochRecord>& history) {
  auto out = nlohmann::json::array();
  for (const auto& e : history)
    out.push_back({e.epoch, e.learning_rate, e.loss, e.train_accuracy, e.validation_accuracy,
                   e.validation_loss, e.seconds});
  return out;
}

std::vector<EpochRecord> from_json(const nlohmann::json& json) {
  std::vector<EpochRecord> out;
  for (const auto& e : json) out.push_back({e.at(0), e.at(1), e.at(2), e.at(3), e.at(4), e.at(5), e.at(6)});
  return out;
}

void require_same(const std::string& path, const nlohmann::json& written, const TrainOptions& options) {
  for (const auto& [name, value] : describe(options)) {
    const auto before = written.value(name, std::string("absent"));
    if (before != value)
      fail_user(
          "checkpoint {}: made with --{} {}, but this run has {}; resume with the same options, or remove "
          "the file",
          path, name, before, value);
  }
}

}  // namespace

void write_checkpoint(const std::string& path, NetworkImpl& network, torch::optim::Optimizer& optimiser,
                      const TrainOptions& options, const std::vector<EpochRecord>& history) {
  torch::serialize::OutputArchive archive, network_archive, optimiser_archive;
  network.save(network_archive);
  optimiser.save(optimiser_archive);
  const nlohmann::json header{{"options", describe(options)}, {"history", to_json(history)}};
  archive.write("header", c10::IValue(header.dump()));
  archive.write("network", network_archive);
  archive.write("optimiser", optimiser_archive);
  archive.write("generator", at::globalContext().defaultGenerator(at::kCPU).get_state());
  std::ostringstream bytes;
  archive.save_to(bytes);
  write_file_atomically(path, std::string_view(bytes.str()));
}

bool read_checkpoint(const std::string& path, NetworkImpl& network, torch::optim::Optimizer& optimiser,
                     const TrainOptions& options, std::vector<EpochRecord>& history) {
  if (!std::filesystem::exists(path)) return false;
  const auto bytes = read_file(path);
  try {
    std::istringstream in(std::string(bytes.begin(), bytes.end()));
    torch::serialize::InputArchive archive, network_archive, optimiser_archive;
    archive.load_from(in);
    c10::IValue header_value;
    archive.read("header", header_value);
    const auto header = nlohmann::json::parse(header_value.toStringRef());
    require_same(path, header.at("options"), options);
    archive.read("network", network_archive);
    network.load(network_archive);
    archive.read("optimiser", optimiser_archive);
    optimiser.load(optimiser_archive);
    torch::Tensor state;
    archive.read("generator", state);
    auto generator = at::globalContext().defaultGenerator(at::kCPU);  // a handle on the shared one
    generator.set_state(state);
    history = from_json(header.at("history"));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    const std::string what = e.what();
    fail_user("checkpoint {}: damaged, or not a checkpoint of velum-train ({}); remove it to start anew",
              path, what.substr(0, what.find('\n')));
  }
  return true;
}

}  // namespace velum::train
