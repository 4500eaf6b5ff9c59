// velum-train: a program of its own, so that nothing else links libtorch. `velum train` runs it.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "model/onnx.h"
#include "train/exchange.h"
#include "train/report.h"
#include "train/trainer.h"

namespace {

using namespace velum;
using namespace velum::train;

struct Arguments {
  TrainOptions options;
  std::string activation = "element", out, json;
  std::vector<std::string> notes;
  bool quiet = false, skip_test = false;
};

void add_options(CLI::App& app, Arguments& args) {
  auto& o = args.options;
  auto& g = o.augmentation;
  app.option_defaults()->always_capture_default();
  app.add_option("--data", o.data,
                 "Data set: digits (built in), mnist:DIR, cifar10:DIR, medmnist:FILE.npz, folder:DIR")
      ->required();
  app.add_option("--net", o.network, "Network, by name (list below)");
  app.add_option("--activation", args.activation,
                 "relu (a teacher), square, or trained quadratics a x^2 + b x + c: layer, channel, element");
  app.add_option("--out", args.out, "The model, as ONNX")->required();
  app.add_option("--json", args.json, "Report: options, history, accuracy, confusion matrix, ranges");
  app.add_option("--epochs", o.epochs, "Passes over the training images");
  app.add_option("--batch", o.batch, "Images a step");
  app.add_option("--lr", o.learning_rate,
                 "Peak learning rate: warm-up over the first twentieth, then a cosine to 0");
  app.add_option("--seed", o.seed, "The same seed and thread count give the same model");
  app.add_option("--threads", o.threads, "0: all cores");
  app.set_config("--config", "", "Options from a TOML file (configs/*.toml); the command line goes first");

  const auto net = "Network";
  app.add_option("--width", o.width, "Factor on every hidden layer's channels")->group(net);
  app.add_option("--dropout", o.dropout, "Probability, before the last layer")->group(net);
  app.add_option("--min-curvature", o.limits.min_curvature, "Least |a| of a quadratic")->group(net);
  app.add_option("--max-centre", o.limits.max_centre, "Largest |b/2a| of a quadratic")->group(net);

  const auto step = "Optimisation";
  app.add_option("--optimiser", o.optimiser, "adam (decoupled weight decay) or sgd (Nesterov momentum 0.9)")
      ->group(step);
  app.add_option("--coefficient-rate", o.coefficient_rate, "Learning rate of the quadratics, times --lr")
      ->group(step);
  app.add_option("--weight-decay", o.weight_decay, "Of convolution and dense weights")->group(step);
  app.add_option("--clip", o.gradient_clip, "Largest norm of the gradient; 0: none")->group(step);
  app.add_option("--label-smoothing", o.label_smoothing, "Part of each label spread over all classes")
      ->group(step);
  app.add_flag("--class-weights", o.class_weights, "Every class counts the same, for unbalanced data")
      ->group(step);

  const auto range = "Ranges (a square on ciphertexts must never leave its range)";
  app.add_option("--range-limit", o.range_limit, "Inputs of activations beyond it are pulled back")
      ->group(range);
  app.add_option("--range-penalty", o.range_penalty, "Strength of that pull; 0: none")->group(range);
  app.add_option("--margin", o.margin,
                 "Recorded ranges are wider than seen, on each side, by this part of their width")
      ->group(range);

  const auto distil = "Distillation";
  app.add_option("--teacher", o.teacher, "ONNX model of the same input and classes (ReLU allowed)")
      ->group(distil);
  app.add_option("--distil-weight", o.distil_weight, "Weight of the distillation loss next to cross entropy")
      ->group(distil);
  app.add_option("--temperature", o.temperature, "Softens both outputs")->group(distil);

  const auto augmentation = "Augmentation (random, each way)";
  app.add_option("--shift", g.shift, "Pixels")->group(augmentation);
  app.add_option("--rotate", g.rotate, "Degrees")->group(augmentation);
  app.add_option("--scale", g.scale, "Part of the size")->group(augmentation);
  app.add_option("--shear", g.shear, "Degrees")->group(augmentation);
  app.add_option("--elastic", g.elastic, "Smooth displacement, pixels")->group(augmentation);
  app.add_flag("--flip", g.flip, "Left and right")->group(augmentation);
  app.add_option("--intensity", g.intensity, "Contrast and brightness")->group(augmentation);
  app.add_option("--cutout", g.cutout, "Side of a blanked square, pixels")->group(augmentation);

  app.add_flag("--edge-fill", g.edge_fill,
               "Outside of an image its edge goes on (photographs, X-rays), else it is black")
      ->group(augmentation);

  const auto runs = "Runs";
  app.add_flag("--all-data", o.all_data,
               "Train on the validation images too: for a final model, after every choice")
      ->group(runs);
  app.add_flag("--skip-test", args.skip_test, "Leave the test split alone: while choices are made")
      ->group(runs);
  app.add_option("--checkpoint", o.checkpoint, "Written after every epoch; removed when the model is")
      ->group(runs);
  app.add_flag("--resume", o.resume,
               "Go on from --checkpoint where there is one; the result is as if never interrupted")
      ->group(runs);
  app.add_option("--note", args.notes, "KEY=VALUE for the report; repeatable")
      ->group(runs)
      ->always_capture_default(false);
  app.add_flag("--quiet", args.quiet, "No line an epoch")->group(runs);

  app.footer("\nNetworks:\n" + describe_networks() +
             "\nChoices are made on the validation split; the test split is read once, at the end.\n"
             "Example: velum train --data digits --net cryptonets --epochs 10 --out digits.onnx\n");
}

std::map<std::string, std::string> parsed_notes(const std::vector<std::string>& notes) {
  std::map<std::string, std::string> out;
  for (const auto& note : notes) {
    const auto equals = note.find('=');
    if (equals == std::string::npos || equals == 0) fail_user("--note {}: expected KEY=VALUE", note);
    out[note.substr(0, equals)] = note.substr(equals + 1);
  }
  return out;
}

void print_epoch(const EpochRecord& e, int epochs) {
  fmt::print("epoch {:>3}/{}  lr {:.2e}  loss {:.4f}  train {:6.2f} %", e.epoch, epochs, e.learning_rate,
             e.loss, 100 * e.train_accuracy);
  if (e.validation_accuracy >= 0) fmt::print("  validation {:6.2f} %", 100 * e.validation_accuracy);
  fmt::print("  {}\n", format_duration(e.seconds));
  std::fflush(stdout);
}

void print_metrics(const char* split, const Metrics& m) {
  fmt::print("{}: accuracy {:.2f} %, macro F1 {:.4f}, AUC {}\n", split, 100 * m.accuracy, m.macro_f1,
             m.auc ? fmt::format("{:.4f}", *m.auc) : "-");
}

// A path that cannot be written is found before the training, not after it.
void require_writable(const std::string& path) {
  if (path.empty()) return;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) make_folder(folder.string());
  const std::string there = folder.empty() ? "." : folder.string();
  if (::access(there.c_str(), W_OK) != 0)
    fail("{}: cannot be written ({}); choose another folder", path, errno_text());
}

void run(Arguments& args, const std::string& command) {
  auto& o = args.options;
  o.activation = parse_activation(args.activation);
  validate(o);
  const auto notes = parsed_notes(args.notes);
  for (const auto* path : {&args.out, &args.json, &o.checkpoint}) require_writable(*path);
  const auto data = load_training_data(o.data, o.all_data);
  if (!args.quiet)
    fmt::print("{}: {} training, {} validation, {} test images of {}, {} classes\n", data.name,
               data.train.count(), data.validation.count(), data.test.count(),
               model::to_string(data.image_shape), data.classes.size());
  auto result = velum::train::train(data, o, [&](const EpochRecord& e) {
    if (!args.quiet) print_epoch(e, o.epochs);
  });
  auto graph = to_graph(*result.network);
  record_ranges(graph, result.network, data.train.images, o.margin);
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  std::optional<Metrics> test;
  if (!args.skip_test) test = evaluate(result.network, data.test, classes);
  const ReportInput report{o,    data,    result, graph, evaluate(result.network, data.train, classes),
                           test, command, notes};
  graph.metadata = model_metadata(report);
  model::save_onnx(graph, args.out);
  if (!args.json.empty()) write_file_atomically(args.json, std::string_view(to_json(report)));
  if (!o.checkpoint.empty()) std::filesystem::remove(o.checkpoint);
  if (result.validation) print_metrics("validation", *result.validation);
  if (test) print_metrics("test", *test);
  fmt::print("{} written, {} of training\n", args.out, format_duration(result.seconds));
}

// The command as anybody can give it again: folders of data and of scratch files by their variables, not by
// their places on this machine.
std::string command_text(int argc, char** argv) {
  std::string text = "velum train";
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    for (const char* variable : {"VELUM_DATA", "VELUM_SCRATCH"}) {
      const char* folder = std::getenv(variable);
      if (!folder || !*folder) continue;
      if (const auto at = argument.find(folder); at != std::string::npos)
        argument.replace(at, std::string_view(folder).size(), fmt::format("${}", variable));
    }
    text += " " + argument;
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments args;
  CLI::App app("Trains a network with polynomial activations, which can run on encrypted images",
               "velum train");
  add_options(app, args);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    run(args, command_text(argc, argv));
    return 0;
  } catch (const Error& e) {
    fmt::print(stderr, "velum train: {}\n", e.what());
    return e.exit_code();
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "velum train: out of memory; lower --batch\n");
    return 1;
  } catch (const std::exception& e) {
    fmt::print(stderr, "velum train: {}\n", e.what());
    return 1;
  }
}
