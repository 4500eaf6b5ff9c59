#include "cli/network_options.h"

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "model/obstacles.h"

namespace velum::cli {

void add_network_options(CLI::App& app, NetworkOptions& options) {
  app.add_option("--output", options.output,
                 "The network's output that counts, by its name in the file; default: the first")
      ->type_name("NAME");
  app.add_option("--shape", options.shape,
                 "Size of an image as C,H,W, where the file leaves it open or has no batch axis")
      ->type_name("C,H,W");
  app.add_option(
         "--input-range", options.range,
         "Pixels that the network takes, for black and white, such as 0,255; default: what its first step "
         "divides by, or 0,1")
      ->type_name("LO,HI");
  app.add_option("--input-mean", options.mean,
                 "Mean that the network wants taken off its pixels, in the units of --input-range; one, or "
                 "one a channel")
      ->type_name("M,...");
  app.add_option(
         "--input-std", options.deviation,
         "Deviation that it wants them divided by then; mean and deviation are folded into its first layer")
      ->type_name("S,...");
}

model::LoadOptions to_load_options(const NetworkOptions& options) {
  model::LoadOptions load;
  load.output = options.output;
  load.shape = model::parse_shape(options.shape);
  load.pixels = model::parse_pixels(options.range, options.mean, options.deviation);
  return load;
}

void require_encryptable(const model::Graph& graph, const std::string& file) {
  if (const auto all = model::obstacles(graph); !all.empty())
    fail_user("{}: {}", file, model::obstacles_text(all, file));
}

}  // namespace velum::cli
