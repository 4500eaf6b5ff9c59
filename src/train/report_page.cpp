#include "train/report_page.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/cpu.h"
#include "base/units.h"
#include "report/activations.h"
#include "train/exchange.h"

namespace velum::train {

namespace {

constexpr std::size_t kUnits = 4;  // drawn of every activation layer

report::Evaluation named(const std::string& name, Metrics m, const std::vector<std::string>& classes) {
  for (std::size_t c = 0; c < std::min(classes.size(), m.classes.size()); ++c) m.classes[c].name = classes[c];
  return {name, report::thinned(std::move(m))};
}

std::vector<report::Epoch> to_epochs(const std::vector<EpochRecord>& history) {
  std::vector<report::Epoch> out;
  for (const auto& e : history) {
    report::Epoch epoch{e.epoch, e.loss, e.train_accuracy, {}, {}, e.replaced};
    if (e.validation_accuracy >= 0) {
      epoch.validation_accuracy = e.validation_accuracy;
      if (std::isfinite(e.validation_loss)) epoch.validation_loss = e.validation_loss;
    }
    out.push_back(epoch);
  }
  return out;
}

// The split that the report is about: test, or what there is while test is left alone.
struct Subject {
  std::string name;
  const Samples* samples = nullptr;
};
Subject subject_of(const ReportInput& r) {
  if (r.test) return {"test", &r.data.test};
  if (r.result.validation) return {"validation", &r.data.validation};
  return {"training", &r.data.train};
}

// The final network with the coefficients that training began with.
model::Graph start_graph(const ReportInput& r) {
  auto graph = r.graph;
  for (auto& node : graph.nodes) {
    auto* quadratic = std::get_if<model::Quadratic>(&node.op);
    const auto start = r.result.start.find(node.name);
    if (!quadratic || start == r.result.start.end()) continue;
    const auto filled = [&](const torch::Tensor& t) {
      const auto all = t.to(torch::kCPU, torch::kFloat).expand(node.shape).contiguous();
      const auto* first = all.data_ptr<float>();
      return model::Coefficients{node.shape, {first, first + all.numel()}};
    };
    *quadratic = {filled(start->second.a), filled(start->second.b), filled(start->second.c)};
  }
  return graph;
}

std::vector<report::Activation> activations_of(const ReportInput& r, const Samples& samples) {
  const auto elements = static_cast<std::size_t>(model::element_count(r.data.image_shape));
  const auto count = report::images_to_observe(static_cast<std::size_t>(samples.count()), elements);
  const auto images = samples.images.slice(0, 0, static_cast<std::int64_t>(count))
                          .to(torch::kCPU, torch::kFloat)
                          .contiguous();
  const std::span<const float> pixels(images.data_ptr<float>(), count * elements);
  auto found = report::observe_activations(r.graph, pixels, count, kUnits);
  if (!r.result.start.empty()) report::add_start_curves(found, start_graph(r));
  if (!r.result.teacher.is_empty())
    report::add_teacher_ranges(
        found, report::observe_activations(to_graph(*r.result.teacher), pixels, count, kUnits));
  return found;
}

}  // namespace

report::Report to_report(const ReportInput& r) {
  const auto subject = subject_of(r);
  const auto classes = static_cast<std::int64_t>(r.data.classes.size());
  const auto network =
      r.options.from.empty() ? r.options.network : std::filesystem::path(r.options.from).filename().string();
  report::Report out;
  out.title = fmt::format("Training: {} on {}", network, r.data.name);
  out.subtitle = fmt::format("{} activations, {} training, {} validation, {} test images of {}",
                             to_string(r.options.activation), r.data.train.count(), r.data.validation.count(),
                             r.data.test.count(), model::to_string(r.data.image_shape));
  out.facts = {{"command", r.command},
               {"machine", cpu_name()},
               {"threads", std::to_string(at::get_num_threads())},
               {"torch", TORCH_VERSION},
               {"time", format_duration(r.result.seconds)}};
  for (const auto& [key, value] : r.notes) out.facts.push_back({key, value});
  for (const auto& [key, value] : describe(r.options)) out.facts.push_back({"--" + key, value});
  out.notes = r.data.notes;

  if (r.test) out.evaluations.push_back(named("test", *r.test, r.data.classes));
  if (!r.result.teacher.is_empty()) {
    auto teacher = r.result.teacher;
    const auto metrics = evaluate(teacher, *subject.samples, classes);
    out.evaluations.push_back(named("teacher, " + subject.name, metrics, r.data.classes));
  }
  if (r.result.validation)
    out.evaluations.push_back(named("validation", *r.result.validation, r.data.classes));
  out.evaluations.push_back(named("training", r.train, r.data.classes));
  for (auto& e : out.evaluations) e.same_images = e.name == subject.name || e.name.starts_with("teacher");
  // The network's own result first, whatever split it is on.
  std::ranges::stable_sort(out.evaluations, std::greater{},
                           [&](const report::Evaluation& e) { return e.name == subject.name; });

  out.history = to_epochs(r.result.history);
  out.teacher_history = to_epochs(r.result.teacher_history);
  out.activations = activations_of(r, *subject.samples);
  return out;
}

}  // namespace velum::train
