#include "session/local_probe.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/parallel.h"
#include "base/stopwatch.h"
#include "engine/clear.h"
#include "model/execute.h"

namespace velum::session {

namespace {

constexpr std::size_t kSample = 16;

// Every value of the plan as the clear executor has it.
std::vector<std::vector<double>> clear_values(const ProbeTarget& target, std::span<const float> image) {
  std::map<std::string, std::vector<double>> tensors;
  tensors[target.graph.input].assign(image.begin(), image.end());
  model::execute_observed(target.graph, image, [&](const model::Node& node, std::span<const double> values) {
    tensors[node.output].assign(values.begin(), values.end());
  });
  std::vector<std::vector<double>> out;
  for (const auto& meaning : target.meanings)
    out.push_back(plan::expected_elements(
        meaning, [&](const std::string& tensor) -> std::span<const double> { return tensors.at(tensor); }));
  return out;
}

double bits(double squared_error, double count, double largest) {
  return -std::log2(std::max(std::sqrt(squared_error / count), 1e-300) / largest);
}

}  // namespace

LayerProbe::LayerProbe(const ProbeTarget& target, const ckks::Decryptor& decryptor, const BatchImages& images)
    : plan_(target.plan),
      meanings_(target.meanings),
      decryptor_(decryptor),
      expected_(std::min(kSample, images.count())),
      rounded_(expected_.size()),
      sums_(plan_.values.size()) {
  parallel_for(expected_.size(), [&](std::size_t i, int) {
    const auto image = images.pixels.subspan(i * images.elements, images.elements);
    expected_[i] = clear_values(target, image);
    rounded_[i] = engine::run_clear(plan_, image);
  });
}

engine::Probe LayerProbe::callback() {
  return [this](std::uint32_t value, std::uint32_t first, const std::vector<ckks::ConstView>& elements) {
    look(value, first, elements);
  };
}

void LayerProbe::look(std::uint32_t value, std::uint32_t first,
                      const std::vector<ckks::ConstView>& ciphertexts) {
  const Stopwatch watch;
  const auto& meaning = meanings_[value];
  const auto& layout = plan_.values[value].layout;
  const std::size_t blocks = plan_.client.blocks;
  auto& total = sums_[value];
  // Rotated copies and partial sums stand for nothing in the model.
  if (blocks > 1 && layout.empty()) return;
  std::vector<Sum> sums(ciphertexts.size());
  parallel_for(ciphertexts.size(), [&](std::size_t c, int) {
    std::vector<double> decrypted(expected_.size() * blocks);
    decryptor_.decrypt(decrypted, ciphertexts[c], plan_.values[value].scale);
    auto& sum = sums[c];
    for (std::size_t p = 0; p < blocks; ++p) {
      const std::size_t place = (first + c) * blocks + p, element = layout.empty() ? place : layout[place];
      if (element == plan::kAbsent) continue;
      const double unit = plan::unit_in_tensor(meaning, element);
      for (std::size_t i = 0; i < expected_.size(); ++i) {
        const double expected = expected_[i][value][element], found = decrypted[i * blocks + p];
        sum.squared_error += std::pow(unit * (found - expected), 2);
        sum.squared_noise += std::pow(unit * (found - rounded_[i][value][place]), 2);
        sum.largest = std::max(sum.largest, std::abs(plan::reference(meaning, element, expected)));
        sum.count += 1;
      }
    }
  });
  for (const auto& sum : sums) {
    total.squared_error += sum.squared_error;
    total.squared_noise += sum.squared_noise;
    total.largest = std::max(total.largest, sum.largest);
    total.count += sum.count;
  }
  total.seconds += watch.seconds();
}

void LayerProbe::finish(engine::RunReport& report) const {
  for (std::size_t s = 0; s < report.steps.size(); ++s) {
    const auto& sum = sums_[plan_.steps[s].output];
    auto& step = report.steps[s];
    if (sum.count > 0 && sum.largest > 0) {
      step.precision_bits = bits(sum.squared_error, sum.count, sum.largest);
      step.noise_precision_bits = bits(sum.squared_noise, sum.count, sum.largest);
    }
    step.seconds = std::max(0.0, step.seconds - sum.seconds);
    report.seconds = std::max(0.0, report.seconds - sum.seconds);
  }
}

}  // namespace velum::session
