#include "cli/network_options.h"

#include <CLI/CLI.hpp>

namespace velum::cli {

void add_network_options(CLI::App& app, NetworkOptions& options) {
  app.add_option("--output", options.output,
                 "The network's output that counts, by its name in the file; default: the first")
      ->type_name("NAME");
  app.add_option(
         "--shape", options.shape,
         "Size of an image as C,H,W, where the file leaves it open or has no batch axis; default: the file's")
      ->type_name("C,H,W");
  app.add_option(
         "--input-range", options.range,
         "Pixels that the network takes, for black and white, such as 0,255; default: what its first step "
         "divides by, or 0,1")
      ->type_name("LO,HI");
  app.add_option("--input-mean", options.mean,
                 "Mean that the network wants taken off its pixels, in the units of --input-range; one, or "
                 "one a channel; default: none")
      ->type_name("M,...");
  app.add_option("--input-std", options.deviation,
                 "Deviation that it wants them divided by then; mean and deviation are folded into its first "
                 "layer; default: none")
      ->type_name("S,...");
}

ModelOptions to_model_options(const NetworkOptions& options) {
  return {options.output, options.shape, options.range, options.mean, options.deviation, false};
}

}  // namespace velum::cli
