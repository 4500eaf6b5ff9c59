#include "cli/plan_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"

namespace velum::cli {

namespace {

// Enough images to see the range of every tensor, few enough to be done in a moment.
constexpr std::size_t kCalibrationImages = 1000;

Packing packing_named(const std::string& name) {
  if (name == "batch") return Packing::batch;
  if (name == "blocks") return Packing::blocks;
  if (name == "channels") return Packing::channels;
  return Packing::automatic;
}

}  // namespace

void add_plan_options(CLI::App& app, PlanOptions& options) {
  app.add_option("model", options.model, "The network, an ONNX file")->required()->type_name("MODEL");
  app.add_option(
         "--batch", options.batch,
         "Images that a job brings: packing, ring and memory are chosen for them; 0: as many as a ring "
         "holds, one element a ciphertext; default: those of --data where the command has them, else 0")
      ->type_name("N");
  app.add_option(
         "--packing", options.packing,
         "auto: whatever takes least time for the batch, within the memory; batch: one element of all "
         "images a ciphertext; blocks: several elements of fewer images; channels: whole channels")
      ->check(CLI::IsMember({"auto", "batch", "blocks", "channels"}))
      ->capture_default_str();
  app.add_option("--blocks", options.blocks,
                 "So many blocks a ciphertext, a power of two; default: the planner's choice")
      ->type_name("P");
  app.add_option("--security", options.security, "Classical security in bits: 128, 192 or 256")
      ->check(CLI::IsMember({128, 192, 256}))
      ->capture_default_str();
  app.add_option("--precision", options.precision,
                 "Least predicted precision of the outputs, in bits of the largest; default: 12, "
                 "and more where typical outputs would keep fewer than 8 of their own")
      ->check(CLI::Range(1.0, 40.0));
  app.add_option("--memory", options.memory,
                 "Memory that evaluation may take, such as 20GB; default: what the machine has")
      ->transform(CLI::AsSizeValue(true))
      ->transform(size_text())
      ->type_name("SIZE");
  app.add_flag("--public-key", options.public_key,
               "Allow for images that are encrypted with a public key: its noise is larger, so that inputs "
               "take more bits");
  app.add_flag("--small-results", options.small_results,
               "Results of as few bytes as can be, also where that takes time and a key of the owner's");
  app.add_option("--ring", options.ring, "Ring: real (one image a coefficient) or standard")
      ->check(CLI::IsMember({"real", "standard"}))
      ->capture_default_str();
  app.add_option("--calibrate", options.calibrate,
                 "Take ranges from these images; default: the model's own ranges")
      ->type_name("DATASET");
  app.add_option("--margin", options.margin, "Widen calibrated ranges by this share on both sides")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  add_network_options(app, options.network);
  add_image_options(app, options.images);
  add_threshold_option(app, options.threshold);
  app.add_option("--rates", options.rates,
                 "Rates of this machine that velum bench calibrate wrote; \"builtin\": none. Default: "
                 "$VELUM_RATES, else the user's file")
      ->type_name("FILE");
}

PlanRequest to_request(const PlanOptions& options, int threads, std::uint64_t images) {
  PlanRequest request;
  request.images = options.batch.value_or(images);
  request.packing = packing_named(options.packing);
  request.blocks = options.blocks;
  request.security_bits = options.security;
  request.standard_ring = options.ring == "standard";
  request.precision_bits = options.precision;
  request.memory_bytes = options.memory;
  request.threads = threads;
  request.public_key = options.public_key;
  request.small_results = options.small_results;
  request.threshold = options.threshold;
  request.rates = options.rates;
  return request;
}

LoadedModel load_model(const PlanOptions& options) {
  auto model = Model::load(options.model, to_model_options(options.network));
  auto info = model.inspect();
  auto taken = taken_by(info, options.images);
  if (options.calibrate.empty()) return {std::move(model), std::move(info), std::move(taken)};
  model.require_encryptable();
  auto load = load_options(taken);
  load.split = data::Split::train;
  load.limit = kCalibrationImages;
  const auto set = load_images(options.calibrate, load, taken);
  model = model.calibrated(Images::floats(set.images), options.margin);
  return {model, model.inspect(), std::move(taken)};
}

void settle_outputs(LoadedModel& loaded, const PlanOptions& options, std::span<const double> seen) {
  settle_outputs(loaded.taken, loaded.model, options.threshold, seen);
}

NamedPaths inputs_of(const PlanOptions& plan, const DataOptions& data) {
  NamedPaths paths = {{"the network", plan.model}, {"--rates", plan.rates}};
  paths.push_back({"--classes", plan.images.classes});
  for (const auto& some : {data_paths("--calibrate", plan.calibrate), data_paths("--data", data.data)})
    paths.insert(paths.end(), some.begin(), some.end());
  return paths;
}

}  // namespace velum::cli
