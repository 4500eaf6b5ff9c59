#include "cli/layer_probe.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "cli/common.h"
#include "engine/clear.h"

namespace velum::cli {

namespace {

constexpr std::size_t kSample = 16;

}  // namespace

LayerProbe::LayerProbe(const plan::ServerPlan& plan, const ckks::Decryptor& decryptor,
                       const BatchImages& images)
    : plan_(plan),
      decryptor_(decryptor),
      clear_(std::min(kSample, images.count())),
      sums_(plan.values.size()) {
  parallel_for(clear_.size(), [&](std::size_t i, int) {
    clear_[i] = engine::run_clear(plan, images.pixels.subspan(i * images.elements, images.elements));
  });
}

engine::Probe LayerProbe::callback() {
  return [this](std::uint32_t value, std::uint32_t first, const std::vector<ckks::ConstView>& elements) {
    look(value, first, elements);
  };
}

void LayerProbe::look(std::uint32_t value, std::uint32_t first,
                      const std::vector<ckks::ConstView>& elements) {
  const Stopwatch watch;
  std::vector<Sum> sums(elements.size());
  parallel_for(elements.size(), [&](std::size_t e, int) {
    std::vector<double> decrypted(clear_.size());
    decryptor_.decrypt(decrypted, elements[e], plan_.values[value].scale);
    for (std::size_t i = 0; i < clear_.size(); ++i) {
      const double expected = clear_[i][value][first + e], error = decrypted[i] - expected;
      sums[e].squared_error += error * error;
      sums[e].largest = std::max(sums[e].largest, std::abs(expected));
    }
  });
  auto& total = sums_[value];
  for (const auto& sum : sums) {
    total.squared_error += sum.squared_error;
    total.largest = std::max(total.largest, sum.largest);
    total.count += static_cast<double>(clear_.size());
  }
  total.seconds += watch.seconds();
}

void LayerProbe::finish(engine::RunReport& report) const {
  for (std::size_t s = 0; s < report.steps.size(); ++s) {
    const auto& sum = sums_[plan_.steps[s].output];
    auto& step = report.steps[s];
    if (sum.count > 0 && sum.largest > 0)
      step.precision_bits =
          -std::log2(std::max(std::sqrt(sum.squared_error / sum.count), 1e-300) / sum.largest);
    step.seconds = std::max(0.0, step.seconds - sum.seconds);
    report.seconds = std::max(0.0, report.seconds - sum.seconds);
  }
}

}  // namespace velum::cli
