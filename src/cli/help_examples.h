// The last line of every command's help: one that can be typed as it stands.
#pragma once

namespace CLI {
class App;
}

namespace velum::cli {

// The example of a command, named as "plan" or "bench kernels", or of `velum` itself, named ""; empty where
// there is none.
const char* help_example(const char* command);
// Adds the examples of `app`, which is `velum`, and of each command below it to the feet of their help.
void add_help_examples(CLI::App& app);

}  // namespace velum::cli
