#include "cli/help_examples.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string>
#include <string_view>

namespace velum::cli {

namespace {

struct Example {
  const char *command, *line;
};

// In the order of a walk through them: each needs only what those before it wrote. A test runs them. The one
// without a name is that of `velum` itself.
constexpr std::array kExamples{
    Example{"", "velum run models/digits.onnx --data digits --images 500"},
    Example{"eval", "velum eval models/digits.onnx --data digits --images 500"},
    Example{"plan", "velum plan models/digits.onnx --batch 500 --out plan"},
    Example{"keygen", "velum keygen --plan plan/client.plan --out keys"},
    Example{
        "encrypt",
        "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data digits --images 500 --out "
        "batch.vct"},
    Example{
        "infer",
        "velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct --out logits.vct"},
    Example{
        "decrypt",
        "velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --sent batch.vct "
        "--out predictions.csv"},
    Example{"run", "velum run models/digits.onnx --data digits --images 500 --html run.html"},
    Example{"inspect", "velum inspect plan/server.plan"},
    Example{"bench", "velum bench kernels --only digit --repeat 3"},
    Example{"bench kernels", "velum bench kernels --only digit --repeat 3"},
    Example{"bench network",
            "velum bench network models/digits.onnx --data digits --repeat 3 --json after.json"},
    Example{"bench compare", "velum bench compare before.json after.json"},
    Example{"bench calibrate", "velum bench calibrate"},
    Example{"bench make-model", "velum bench make-model dense-64x2 --out dense.onnx"},
};

void add_examples(CLI::App& app, const std::string& name) {
  if (const std::string line = help_example(name.c_str()); !line.empty())
    app.footer(app.get_footer() + "\nExample: " + line);
  for (auto* sub : app.get_subcommands([](CLI::App*) { return true; }))
    add_examples(*sub, name.empty() ? sub->get_name() : name + " " + sub->get_name());
}

}  // namespace

const char* help_example(const char* command) {
  for (const auto& example : kExamples)
    if (std::string_view(example.command) == command) return example.line;
  return "";
}

void add_help_examples(CLI::App& app) {
  add_examples(app, "");
}

}  // namespace velum::cli
