// velum-train: a program of its own, so that nothing else links libtorch. `velum train` runs it.
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/units.h"
#include "model/onnx.h"
#include "system/file.h"
#include "system/program.h"
#include "system/terminal.h"
#include "train/affine_layers.h"
#include "train/allocation.h"
#include "train/command_line.h"
#include "train/exchange.h"
#include "train/output_files.h"
#include "train/report.h"
#include "train/report_page.h"
#include "train/trainer.h"

namespace {

using namespace velum;
using namespace velum::train;

std::map<std::string, std::string> parsed_notes(const std::vector<std::string>& notes) {
  std::map<std::string, std::string> out;
  for (const auto& note : notes) {
    const auto equals = note.find('=');
    if (equals == std::string::npos || equals == 0) fail_user("--note {}: expected KEY=VALUE", note);
    out[note.substr(0, equals)] = note.substr(equals + 1);
  }
  return out;
}

void print_epoch(const EpochRecord& e, const TrainOptions& o) {
  fmt::print("{}epoch {:>3}/{}  lr {:.2e}  loss {:.4f}  train {:6.2f} %", e.teacher ? "ReLU " : "", e.epoch,
             e.teacher ? o.teacher_epochs : o.epochs, e.learning_rate, e.loss, 100 * e.train_accuracy);
  if (e.replaced < 1) fmt::print("  replaced {:3.0f} %", 100 * e.replaced);
  if (e.validation_accuracy >= 0) fmt::print("  validation {:6.2f} %", 100 * e.validation_accuracy);
  fmt::print("  {}", format_duration(e.seconds));
  if (const int left = (e.teacher ? o.teacher_epochs : o.epochs) - e.epoch; left > 0)
    fmt::print(", remaining {}", format_duration(left * e.seconds));
  fmt::print("\n");
  std::fflush(stdout);
}

void print_metrics(const char* split, const Metrics& m) {
  fmt::print("{}: accuracy {:.2f} %, macro F1 {:.4f}, AUC {}\n", split, 100 * m.accuracy, m.macro_f1,
             m.auc ? fmt::format("{:.4f}", *m.auc) : "-");
}

void run(Arguments& args, const std::string& command) {
  auto& o = args.options;
  validate(o);
  auto notes = parsed_notes(args.notes);
  if (!args.taught_by.empty()) notes["taught_by"] = args.taught_by;
  if (!args.begins_with.empty()) notes["begins_with"] = args.begins_with;
  check_output_files(args);
  const auto data = load_training_data(o, !args.skip_test);
  for (const auto& note : data.notes) say_on_stderr(note);
  if (!args.quiet)
    fmt::print("{}: {} training, {} validation, {} test images of {}, {} classes\n", data.name,
               data.train.count(), data.validation.count(), data.test.count(),
               model::to_string(data.image_shape), data.classes.size());
  if (const auto slow = slow_products(parse_products(o.products), detect_cpu());
      !slow.empty() && o.device == "cpu")
    say_on_stderr("velum train: warning: " + slow);
  auto result = velum::train::train(data, o, [&](const EpochRecord& e) {
    if (!args.quiet) print_epoch(e, o);
  });
  auto graph = to_graph(*result.network);
  record_ranges(graph, result.network, data.train.images, o.margin);
  if (const auto wide = check_ranges(graph); !wide.empty() && o.activation != ActivationKind::relu)
    say_on_stderr("velum train: warning: " + wide);
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  std::optional<Metrics> test;
  if (!args.skip_test) test = evaluate(result.network, data.test, classes);
  const ReportInput report{o,    data,    result, graph, evaluate(result.network, data.train, classes),
                           test, command, notes};
  graph.metadata = model_metadata(report);
  if (const auto range = model::pixels_record(result.pixels); !range.empty())
    graph.metadata[model::kPixels] = range;
  record_statistics(graph, data.train.images);
  model::save_onnx(graph, args.out);
  if (!args.write_config.empty()) write_file_atomically(args.write_config, std::string_view(to_toml(o)));
  if (!args.json.empty() || !args.report.empty() || !args.curves.empty()) {
    const auto page = to_report(report);
    if (!args.json.empty()) write_file_atomically(args.json, std::string_view(to_json(report, page)));
    if (!args.report.empty()) write_file_atomically(args.report, std::string_view(report::to_html(page)));
    if (!args.curves.empty()) write_file_atomically(args.curves, std::string_view(report::curves_csv(page)));
  }
  for (const auto& file : {o.checkpoint, teacher_checkpoint(o)})
    if (!file.empty()) std::filesystem::remove(file);
  if (result.validation) print_metrics("validation", *result.validation);
  if (test) print_metrics("test", *test);
  fmt::print("{} written, {} of training\n", args.out, format_duration(result.seconds));
}

// libtorch's own words, without where in libtorch they were said.
std::string torch_message(const c10::Error& e) {
  std::string text = e.what_without_backtrace();
  text = text.substr(0, text.find('\n'));
  if (text.find("allocate memory") != std::string::npos || text.find("out of memory") != std::string::npos)
    return fmt::format("out of memory; lower --batch or --width ({})", text);
  return fmt::format("libtorch refused: {}", text);
}

// The command as anybody can give it again: folders of data and of scratch files by their variables, not by
// their places on this machine.
std::string command_text(int argc, char** argv) {
  std::string text = "velum train";
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    for (const char* variable : {"VELUM_DATA", "VELUM_SCRATCH"}) {
      const char* folder = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nothing here sets any
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
  velum::train::keep_freed_memory();
  int code = 0;
  const int failed = run_program("velum train", [&] {
    try {
      auto parsed = parse_command_line(argc, argv);
      code = parsed.exit_code;
      if (parsed.arguments) run(*parsed.arguments, command_text(argc, argv));
    } catch (const std::bad_alloc&) {
      fail("out of memory; lower --batch or --width");
    } catch (const c10::Error& e) {
      fail("{}", torch_message(e));
    }
  });
  return failed ? failed : code;
}
