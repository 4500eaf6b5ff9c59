// Ranges of every tensor over sample data.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/parallel.h"
#include "model/execute.h"
#include "model/execution.h"
#include "model/input_statistics.h"

namespace velum::model {

namespace {

struct Extremes {
  double low = std::numeric_limits<double>::infinity(), high = -low, squares = 0;
  std::vector<double> by_image;  // sums of squares

  void add(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
    squares += x * x;
  }
  void add(const Extremes& o) {
    low = std::min(low, o.low);
    high = std::max(high, o.high);
    squares += o.squares;
    by_image.insert(by_image.end(), o.by_image.begin(), o.by_image.end());
  }
  // A tensor that is constant on the samples is given the width of its own size, so that it gets a margin as
  // well.
  Range widened(double margin, double elements) const {
    const double width = high > low ? high - low : std::max(std::fabs(high), std::fabs(low));
    const auto images = static_cast<double>(by_image.size());
    return {low - margin * width, high + margin * width, std::sqrt(squares / (images * elements)),
            middle_rms(by_image, elements)};
  }
};

}  // namespace

double middle_rms(std::vector<double> squares_by_image, double elements) {
  if (squares_by_image.empty()) return 0;
  for (auto& x : squares_by_image)
    if (std::isnan(x)) x = std::numeric_limits<double>::infinity();  // overflown: among the largest
  const auto middle = squares_by_image.begin() + static_cast<std::ptrdiff_t>(squares_by_image.size() / 2);
  std::nth_element(squares_by_image.begin(), middle, squares_by_image.end());
  return std::sqrt(*middle / elements);
}

void calibrate(Graph& g, std::span<const float> images, std::size_t count, double margin) {
  if (count == 0) fail_user("cannot calibrate the ranges of network '{}' without images", g.name);
  if (!(margin >= 0) || !std::isfinite(margin))
    fail_user("calibration margin is {}, expected 0 or more", margin);
  check_images(g, images.size(), count);
  const Execution e = prepare_execution(g);
  const std::size_t lanes = lanes_for(count), tile_count = (count + lanes - 1) / lanes;
  // One record per tile, merged in order afterwards: the sums do not depend on which thread ran which tile.
  std::vector<std::vector<Extremes>> seen(tile_count, std::vector<Extremes>(e.steps.size()));
  const int team = threads();
  std::vector<Tiles> tiles(static_cast<std::size_t>(team));
  parallel_for(tile_count, team, [&](std::size_t tile, int worker) {
    auto& mine = tiles[static_cast<std::size_t>(worker)];
    if (mine.empty()) mine = make_tiles(e, lanes);
    const std::size_t first = tile * lanes, here = std::min(lanes, count - first);
    run_tile(e, mine, lanes, images.subspan(first * e.input_elements, here * e.input_elements), here,
             [&](std::size_t step, std::span<const double> values) {
               Extremes x;
               x.by_image.resize(here);
               for (std::size_t i = 0; i < values.size(); i += lanes)
                 for (std::size_t l = 0; l < here; ++l) {
                   x.add(values[i + l]);
                   x.by_image[l] += values[i + l] * values[i + l];
                 }
               seen[tile][step] = x;
             });
  });
  for (std::size_t s = 0; s < e.steps.size(); ++s) {
    Extremes all;
    for (const auto& tile : seen) all.add(tile[s]);
    const Node& node = *e.steps[s].node;
    const Range r = all.widened(margin, static_cast<double>(element_count(node.shape)));
    if (!std::isfinite(r.low) || !std::isfinite(r.high) || !std::isfinite(r.rms) || !std::isfinite(r.typical))
      fail_user("node '{}' overflows on the calibration images: its values reach {} to {}", node.name,
                all.low, all.high);
    g.ranges[node.output] = r;
  }
  // The input's range is declared rather than sampled (pixels have one): it only grows where the samples
  // leave it.
  Extremes input;
  for (const float x : images) input.add(static_cast<double>(x));
  g.input_range.low = std::min(g.input_range.low, input.low);
  g.input_range.high = std::max(g.input_range.high, input.high);
  g.input_range.rms = std::sqrt(input.squares / static_cast<double>(images.size()));
  g.ranges[g.input] = g.input_range;
  set_statistics(g, measure_inputs(images, count, g.input_range.low, g.input_range.high));
}

}  // namespace velum::model
