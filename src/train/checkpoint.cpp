#include "train/checkpoint.h"

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "system/file.h"
#include "train/device.h"

namespace velum::train {

namespace {

nlohmann::json to_json(const std::vector<EpochRecord>& history) {
  auto out = nlohmann::json::array();
  for (const auto& e : history)
    out.push_back({e.epoch, e.learning_rate, e.loss, e.train_accuracy, e.validation_accuracy,
                   e.validation_loss, e.seconds, e.replaced, e.teacher});
  return out;
}

// JSON has no infinity: it is written as null.
double number(const nlohmann::json& json) {
  return json.is_null() ? std::numeric_limits<double>::infinity() : json.get<double>();
}

std::vector<EpochRecord> from_json(const nlohmann::json& json) {
  std::vector<EpochRecord> out;
  for (const auto& e : json)
    out.push_back({e.at(0), e.at(1), e.at(2), e.at(3), e.at(4), number(e.at(5)), e.at(6), e.at(7), e.at(8)});
  return out;
}

// The tensors that a network consists of: two networks of the same list can exchange them.
nlohmann::json layout_of(const NetworkImpl& network) {
  auto out = nlohmann::json::array();
  for (const auto& layer : network.spec().layers) {
    if (const auto t = network.tensor(layer.name, "weight"); t.defined())
      out.push_back(fmt::format("{} {}", layer.name, model::to_string({t.sizes().begin(), t.sizes().end()})));
    if (const auto t = network.tensor(layer.name, "a"); t.defined())
      out.push_back(fmt::format("{} {}", layer.name, model::to_string({t.sizes().begin(), t.sizes().end()})));
  }
  return out;
}

void require_same_network(const std::string& path, const nlohmann::json& written,
                          const NetworkImpl& network) {
  const auto mine = layout_of(network);
  for (std::size_t i = 0; i < std::max(mine.size(), written.size()); ++i) {
    const auto before = i < written.size() ? written[i].get<std::string>() : "nothing";
    const auto now = i < mine.size() ? mine[i].get<std::string>() : "nothing";
    if (before != now)
      fail_user(
          "checkpoint {}: of another network: it has {} where this one has {}; resume with the network "
          "it was made with, or remove the file",
          path, before, now);
  }
}

void require_same_options(const std::string& path, const nlohmann::json& written,
                          const TrainOptions& options) {
  const auto defaults = describe(TrainOptions{});  // of options that the checkpoint's program did not have
  for (const auto& [name, value] : describe(options)) {
    const auto before = written.value(name, defaults.at(name));
    if (before != value)
      fail_user(
          "checkpoint {}: made with --{} {}, but this run has {}; resume with the same options, add "
          "--allow-changes, or remove the file",
          path, name, before, value);
  }
}

void require_same_given(const std::string& path, const nlohmann::json& written,
                        const std::map<std::string, std::string>& given) {
  for (const auto& [name, digest] : given) {
    const auto before = written.value(name, digest);  // earlier versions did not look
    if (before != digest)
      fail_user(
          "checkpoint {}: made with other {} ({}) than this run has ({}); resume with the same, add "
          "--allow-changes, or "
          "remove the file",
          path, name, before, digest);
  }
}

// Allowed changes or not: one optimiser's state means nothing to another.
void require_same_optimiser(const std::string& path, const nlohmann::json& written,
                            const TrainOptions& options) {
  const auto before = written.value("optimiser", options.optimiser);
  if (before != options.optimiser)
    fail_user(
        "checkpoint {}: holds the state of --optimiser {}, which {} cannot go on from; resume with "
        "--optimiser {}, or "
        "remove the file",
        path, before, options.optimiser, before);
}

nlohmann::json layers_of(const std::map<std::string, StartCoefficients>& start) {
  auto out = nlohmann::json::array();
  for (const auto& [layer, coefficients] : start) out.push_back(layer);
  return out;
}

void write(torch::serialize::OutputArchive& archive, const std::string& name,
           const std::vector<torch::Tensor>& tensors) {
  archive.write(name, c10::IValue(c10::List<torch::Tensor>(at::ArrayRef<torch::Tensor>(tensors))));
}

std::vector<torch::Tensor> read(torch::serialize::InputArchive& archive, const std::string& name) {
  c10::IValue value;
  archive.read(name, value);
  return value.toTensorVector();
}

}  // namespace

void write_checkpoint(const std::string& path, const RunState& state, const TrainOptions& options) {
  torch::serialize::OutputArchive archive, network_archive, optimiser_archive;
  state.network.save(network_archive);
  state.optimiser.save(optimiser_archive);
  const nlohmann::json header{{"options", describe(options)},
                              {"layout", layout_of(state.network)},
                              {"history", to_json(state.history)},
                              {"start", layers_of(state.start)},
                              {"given", state.given}};
  archive.write("header", c10::IValue(header.dump()));
  archive.write("network", network_archive);
  archive.write("optimiser", optimiser_archive);
  write(archive, "average", state.average);
  write(archive, "best", state.best);
  std::vector<torch::Tensor> start;
  for (const auto& [layer, s] : state.start) start.insert(start.end(), {s.a, s.b, s.c});
  write(archive, "start", start);
  archive.write("generator", at::globalContext().defaultGenerator(at::kCPU).get_state());
  if (const auto device = device_of(state.network); device.is_cuda())
    archive.write("device generator", at::globalContext().defaultGenerator(device).get_state());
  std::ostringstream bytes;
  archive.save_to(bytes);
  try {
    write_file_atomically(path, std::string_view(bytes.str()));
  } catch (const Error& e) {
    throw e.within(
        fmt::format("checkpoint after epoch {} ({} bytes); free space, or put --checkpoint elsewhere",
                    state.history.size(), bytes.str().size()));
  }
}

bool read_checkpoint(const std::string& path, RunState state, const TrainOptions& options) {
  if (!std::filesystem::exists(path)) return false;
  const auto bytes = read_file(path);
  try {
    std::istringstream in(std::string(bytes.begin(), bytes.end()));
    torch::serialize::InputArchive archive, network_archive, optimiser_archive;
    archive.load_from(in, device_of(state.network));
    c10::IValue header_value;
    archive.read("header", header_value);
    const auto header = nlohmann::json::parse(header_value.toStringRef());
    require_same_network(path, header.at("layout"), state.network);
    if (!options.allow_changes) {
      require_same_options(path, header.at("options"), options);
      require_same_given(path, header.value("given", nlohmann::json::object()), state.given);
    }
    require_same_optimiser(path, header.at("options"), options);
    archive.read("network", network_archive);
    state.network.load(network_archive);
    archive.read("optimiser", optimiser_archive);
    state.optimiser.load(optimiser_archive);
    state.average = read(archive, "average");
    state.best = read(archive, "best");
    torch::Tensor generator_state;
    archive.read("generator", generator_state);
    auto generator = at::globalContext().defaultGenerator(at::kCPU);  // a handle on the shared one
    generator.set_state(generator_state.cpu());
    if (const auto device = device_of(state.network); device.is_cuda()) {
      archive.read("device generator", generator_state);
      auto of_device = at::globalContext().defaultGenerator(device);
      of_device.set_state(generator_state.cpu());
    }
    state.history = from_json(header.at("history"));
    if (header.contains("start")) {  // not in checkpoints of earlier versions
      const auto start = read(archive, "start");
      std::size_t i = 0;
      for (const auto& layer : header["start"]) {
        state.start[layer] = {start.at(i).cpu(), start.at(i + 1).cpu(), start.at(i + 2).cpu()};
        i += 3;
      }
    }
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
