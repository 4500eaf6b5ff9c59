// Resize and Upsample: along every axis an output position is a weighted sum of input positions, and an
// element the product over its axes.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "model/onnx/convert.h"
#include "model/onnx/rows.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

struct Tap {
  std::int64_t from;
  double weight;
};
using Taps = std::vector<Tap>;

struct Mode {
  std::string interpolation = "nearest", coordinates = "half_pixel", rounding = "round_prefer_floor";
  double cubic = -0.75;
  bool exclude_outside = false, antialias = false;
};

// The position in the input, a real number, of position x of the output. In floats, as those who trained the
// network computed it: a position halfway must stay halfway.
double origin(const std::string& how, float x, float scale, float in, float out) {
  float at = (x + 0.5F) / scale - 0.5F;
  if (how == "asymmetric") at = x / scale;
  if (how == "align_corners") at = out == 1 ? 0 : x * (in - 1) / (out - 1);
  if (how == "pytorch_half_pixel" && out <= 1) at = 0;
  if (how == "tf_half_pixel_for_nn") at = (x + 0.5F) / scale;
  if (how == "half_pixel_symmetric") at += in / 2 * (1 - out / (scale * in));
  return static_cast<double>(at);
}

std::int64_t nearest(const std::string& how, double x, bool shrinks) {
  if (how == "simple") return static_cast<std::int64_t>(shrinks ? std::ceil(x) : x);  // before opset 11
  if (how == "floor") return static_cast<std::int64_t>(std::floor(x));
  if (how == "ceil") return static_cast<std::int64_t>(std::ceil(x));
  const bool half = x == std::floor(x) + 0.5;
  if (half) return static_cast<std::int64_t>(how == "round_prefer_ceil" ? std::ceil(x) : std::floor(x));
  return static_cast<std::int64_t>(std::round(x));
}

double cubic_weight(double t, double a) {
  t = std::fabs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

double linear_weight(double t) {
  return std::max(0.0, 1 - std::fabs(t));
}

// Taps of the same position become one.
Taps merged(const Taps& taps) {
  Taps out;
  for (const auto& t : taps) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const Tap& o) { return o.from == t.from; });
    if (same != out.end())
      same->weight += t.weight;
    else
      out.push_back(t);
  }
  return out;
}

void normalise(Taps& taps) {
  double sum = 0;
  for (const auto& t : taps) sum += t.weight;
  for (auto& t : taps) t.weight /= sum;
}

// Antialiased: the filter is as wide as the pixels of the output are.
Taps filtered(const Mode& mode, double x, double scale, std::int64_t extent) {
  const bool cubic = mode.interpolation == "cubic";
  const double wide = std::max(1.0, 1 / scale), reach = (cubic ? 2 : 1) * wide;
  Taps taps;
  for (auto i = static_cast<std::int64_t>(std::floor(x - reach)); static_cast<double>(i) <= x + reach; ++i) {
    const double t = (static_cast<double>(i) - x) / wide;
    const double w = cubic ? cubic_weight(t, mode.cubic) : linear_weight(t);
    const bool outside = i < 0 || i >= extent;
    if (w == 0 || (outside && mode.exclude_outside)) continue;
    taps.push_back({std::clamp<std::int64_t>(i, 0, extent - 1), w});
  }
  normalise(taps);
  return merged(taps);
}

Taps taps_at(const Mode& mode, std::int64_t position, double scale, std::int64_t extent,
             std::int64_t length) {
  const auto last = extent - 1;
  const double x = origin(mode.coordinates, static_cast<float>(position), static_cast<float>(scale),
                          static_cast<float>(extent), static_cast<float>(length));
  if (mode.interpolation == "nearest")
    return {{std::clamp<std::int64_t>(nearest(mode.rounding, x, scale < 1), 0, last), 1}};
  if (mode.antialias) return filtered(mode, x, scale, extent);
  if (mode.interpolation == "linear") {
    const double inside = std::clamp(x, 0.0, static_cast<double>(last));
    const auto low = static_cast<std::int64_t>(std::floor(inside));
    const double part = inside - static_cast<double>(low);
    if (part == 0) return {{low, 1}};
    return {{low, 1 - part}, {low + 1, part}};
  }
  const auto low = static_cast<std::int64_t>(std::floor(x));
  Taps taps;
  for (std::int64_t i = low - 1; i <= low + 2; ++i) {
    const double w = cubic_weight(x - static_cast<double>(i), mode.cubic);
    const bool outside = i < 0 || i > last;
    if (w == 0 || (outside && mode.exclude_outside)) continue;
    taps.push_back({std::clamp<std::int64_t>(i, 0, last), w});
  }
  if (mode.exclude_outside) normalise(taps);
  return merged(taps);
}

Mode read_mode(Call& call) {
  auto& a = call.attributes;
  Mode m;
  m.interpolation = a.text("mode", "nearest");
  if (call.opset() < 11) {  // one way only
    m.coordinates = "asymmetric";
    m.rounding = "simple";
  } else {
    m.coordinates = a.text("coordinate_transformation_mode", "half_pixel");
    m.rounding = a.text("nearest_mode", "round_prefer_floor");
    m.cubic = a.real("cubic_coeff_a", -0.75);
    m.exclude_outside = a.integer("exclude_outside", 0) != 0;
    a.ignore("extrapolation_value");
    if (call.opset() >= 18) m.antialias = a.integer("antialias", 0) != 0;
  }
  if (m.interpolation == "bilinear") m.interpolation = "linear";
  if (m.interpolation != "nearest" && m.interpolation != "linear" && m.interpolation != "cubic")
    fail_user("has mode '{}', expected nearest, linear or cubic", m.interpolation);
  constexpr std::array known{"asymmetric",         "align_corners",        "half_pixel",
                             "pytorch_half_pixel", "tf_half_pixel_for_nn", "half_pixel_symmetric"};
  const bool recent = m.coordinates == "half_pixel_symmetric",
             dropped = m.coordinates == "tf_half_pixel_for_nn";
  if (std::find(known.begin(), known.end(), m.coordinates) == known.end() || (recent && call.opset() < 19) ||
      (dropped && call.opset() >= 13))
    fail_user("has coordinate_transformation_mode '{}', which is not supported at opset {}", m.coordinates,
              call.opset());
  constexpr std::array roundings{"simple", "floor", "ceil", "round_prefer_floor", "round_prefer_ceil"};
  if (std::find(roundings.begin(), roundings.end(), m.rounding) == roundings.end())
    fail_user("has nearest_mode '{}'", m.rounding);
  return m;
}

// How much longer every axis becomes, and how long.
struct Extents {
  std::vector<double> scales;
  Dims lengths;
};

Extents read_extents(Call& call, const Dims& in) {
  const std::size_t rank = in.size();
  Extents e{std::vector<double>(rank, 1.0), in};
  Dims axes;
  if (call.opset() >= 18) {
    axes = call.attributes.integers("axes", {});
    const auto policy = call.attributes.text("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch") fail_user("has keep_aspect_ratio_policy '{}', expected stretch", policy);
  }
  if (axes.empty())
    for (std::size_t a = 0; a < rank; ++a) axes.push_back(static_cast<std::int64_t>(a));
  std::vector<double> scales;
  Dims sizes;
  if (call.op() == "Upsample" && call.opset() < 9) {
    scales = call.attributes.reals("scales");
  } else if (call.opset() < 11) {
    call.expect_inputs(2, 2);
    scales = call.weights(1, "scales").floats;
  } else {
    call.expect_inputs(1, 4);
    if (call.has_input(2)) scales = call.weights(2, "scales").floats;
    if (call.has_input(3)) sizes = call.integers(3, "sizes");
  }
  if ((scales.empty() ? sizes.size() : scales.size()) != axes.size())
    fail_user("has {} scales and {} sizes for {} axes", scales.size(), sizes.size(), axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<std::size_t>(checked_axis(axes[i], rank));
    const auto extent = static_cast<double>(in[a]);
    if (!scales.empty()) {
      e.scales[a] = scales[i];
      // The file's scales are floats, and so is their product with the length.
      const double length =
          std::floor(static_cast<double>(static_cast<float>(scales[i]) * static_cast<float>(in[a])));
      if (!(length >= 1 && length <= static_cast<double>(max_tensor_elements)))
        fail_user("scales an axis of {} by {}", in[a], scales[i]);
      e.lengths[a] = static_cast<std::int64_t>(length);
    } else if (!is_free(sizes[i])) {
      e.lengths[a] = sizes[i];
      e.scales[a] = static_cast<double>(sizes[i]) / extent;
    }
  }
  return e;
}

}  // namespace

bool convert_resize(Call& call) {
  if (call.op() != "Resize" && call.op() != "Upsample") return false;
  const Mode mode = read_mode(call);
  Operand in = operand(call, 0, {}, "");
  Extents e = read_extents(call, in.dims);
  if (in.batch != no_batch) {
    const auto b = static_cast<std::size_t>(in.batch);
    if (e.lengths[b] == call.importer().declared_batch) e.lengths[b] = 1, e.scales[b] = 1;
    if (e.scales[b] != 1 || e.lengths[b] != 1)
      fail_user("resizes the batch axis, which would mix the images");
  }
  const std::size_t rank = in.dims.size();
  std::vector<std::vector<Taps>> taps(rank);
  for (std::size_t a = 0; a < rank; ++a)
    for (std::int64_t i = 0; i < e.lengths[a]; ++i)
      // What keeps its length by a scale of 1 is left as it is, whatever the mode.
      taps[a].push_back(e.scales[a] == 1 ? Taps{{i, 1}}
                                         : taps_at(mode, i, e.scales[a], in.dims[a], e.lengths[a]));
  const Dims own = row_strides(in.dims);
  RowBuilder rows(e.lengths);
  for_each(e.lengths, [&](const Dims& index) {
    Dims counts;
    for (std::size_t a = 0; a < rank; ++a)
      counts.push_back(static_cast<std::int64_t>(taps[a][static_cast<std::size_t>(index[a])].size()));
    for_each(counts, [&](const Dims& which) {
      std::int64_t from = 0;
      double weight = 1;
      for (std::size_t a = 0; a < rank; ++a) {
        const Tap& t = taps[a][static_cast<std::size_t>(index[a])][static_cast<std::size_t>(which[a])];
        from += t.from * own[a];
        weight *= t.weight;
      }
      rows.add(from, weight);
    });
    rows.end_row();
  });
  place(call, in, rows.finish(), in.batch);
  return true;
}

}  // namespace velum::model
