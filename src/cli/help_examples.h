// The last line of every command's help: one that can be typed as it stands.
#pragma once

namespace CLI {
class App;
}

namespace velum::cli {

// The example of a command, named as "plan" or "bench kernels"; empty where there is none.
const char* help_example(const char* command);
// Adds the example of each command below `app` to the foot of its help.
void add_help_examples(CLI::App& app);

}  // namespace velum::cli
