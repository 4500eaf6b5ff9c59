#include "cli/plan_options.h"

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/data_options.h"
#include "cli/rates_file.h"
#include "model/execute.h"
#include "model/onnx.h"

namespace velum::cli {

namespace {

// Enough images to see the range of every tensor, few enough to be done in a moment.
constexpr std::size_t kCalibrationImages = 1000;

}  // namespace

void add_plan_options(CLI::App& app, PlanOptions& options) {
  app.add_option("model", options.model, "The network, an ONNX file")->required()->type_name("MODEL");
  app.add_option("--batch", options.batch, "Images in a batch; 0: as many as there are slots")
      ->check(CLI::Range(0, 65536));
  app.add_option("--security", options.security, "Classical security in bits: 128, 192 or 256")
      ->check(CLI::IsMember({128, 192, 256}))
      ->capture_default_str();
  app.add_option("--precision", options.precision,
                 "Least predicted precision of the outputs, in bits of the largest; default: 12, "
                 "and more where typical outputs would keep fewer than 8 of their own")
      ->check(CLI::Range(1.0, 40.0));
  app.add_option("--memory", options.memory,
                 "Memory that evaluation may take, such as 20GiB; default: what the machine has")
      ->transform(CLI::AsSizeValue(true))
      ->type_name("SIZE");
  app.add_option("--ring", options.ring, "Ring: real (one image a coefficient) or standard")
      ->check(CLI::IsMember({"real", "standard"}))
      ->capture_default_str();
  app.add_option("--calibrate", options.calibrate, "Take ranges from these images instead of the model's own")
      ->type_name("DATASET");
  app.add_option("--margin", options.margin, "Widen calibrated ranges by this share on both sides")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  add_rates_option(app, options.rates);
}

plan::Request to_request(const PlanOptions& options, int threads) {
  plan::Request request;
  request.batch = options.batch;
  request.security = static_cast<ckks::Security>(options.security);
  request.ring = options.ring == "real" ? ckks::RingType::real : ckks::RingType::standard;
  request.precision_bits = options.precision;
  request.memory_bytes = options.memory;
  request.threads = threads;
  apply_rates(request, options.rates);
  return request;
}

model::Graph load_model(const PlanOptions& options) {
  auto graph = model::load_onnx(options.model);
  if (!options.calibrate.empty()) {
    model::require_polynomial(graph);
    data::LoadOptions load;
    load.split = data::Split::train;
    load.limit = kCalibrationImages;
    const auto set = load_data(options.calibrate, load, graph.input_shape);
    model::calibrate(graph, set.images, set.count(), options.margin);
  }
  return graph;
}

}  // namespace velum::cli
