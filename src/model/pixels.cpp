#include "model/pixels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "model/polynomial.h"

namespace velum::model {

namespace {

std::vector<double> numbers(const char* option, const std::string& text) {
  std::vector<double> all;
  if (text.empty()) return all;
  const char *at = text.data(), *end = at + text.size();
  while (true) {
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || !std::isfinite(value) || (next != end && *next != ','))
      fail_user("{} {}: expected numbers with commas between them, such as 0.485,0.456,0.406", option, text);
    all.push_back(value);
    if (next == end) return all;
    at = next + 1;
  }
}

const Node* only_reader(const Graph& g, const std::string& tensor) {
  const Node* found = nullptr;
  for (const auto& n : g.nodes)
    for (const auto& in : n.inputs) {
      if (in != tensor) continue;
      if (found) return nullptr;
      found = &n;
    }
  return found;
}

std::optional<double> uniform(const Coefficients& c) {
  const auto& v = c.values;
  if (v.empty() || std::any_of(v.begin(), v.end(), [&](float x) { return x != v[0]; })) return std::nullopt;
  return static_cast<double>(v[0]);
}

// What the first step multiplies by, offsets and turned axes aside.
std::optional<double> first_factor(const Graph& g) {
  for (std::string at = g.input;;) {
    const Node* n = only_reader(g, at);
    if (!n) return std::nullopt;
    at = n->output;
    if (std::holds_alternative<Reshape>(n->op) || std::holds_alternative<Transpose>(n->op)) continue;
    const auto* s = std::get_if<ScaleShift>(&n->op);
    const auto factor = s ? uniform(s->scale) : std::nullopt;
    if (!factor) return std::nullopt;
    if (std::fabs(*factor) != 1) return factor;
  }
}

// 255 or 127.5 where that is what the first step divides by; 0 where not.
double first_divisor(const Graph& g) {
  const auto factor = first_factor(g);
  for (const double divisor : {255.0, 127.5})
    if (factor && std::fabs(std::fabs(*factor) * divisor - 1) <= 0.01) return divisor;
  return 0;
}

// The record of a file that Velum made; nothing where there is none.
std::optional<Range> recorded_range(const Graph& g) {
  const auto found = g.metadata.find(kPixels);
  if (found == g.metadata.end()) return std::nullopt;
  auto text = found->second;
  std::ranges::replace(text, ' ', ',');
  const auto range = numbers("metadata 'pixels'", text);
  if (range.size() != 2 || !(range[0] < range[1]))
    fail_user("metadata 'pixels' is '{}', expected two numbers: of black and of white",
              found->second.substr(0, 100));
  return Range{range[0], range[1]};
}

// One value of the mean or the deviation a channel; `by_default` where none is given.
std::vector<double> by_channel(const char* option, const std::vector<double>& given, const Shape& image,
                               double by_default) {
  if (given.size() == 1 || given.empty()) return {given.empty() ? by_default : given[0]};
  if (image.size() != 3 || given.size() != static_cast<std::size_t>(image[0]))
    fail_user("{} {}: {} numbers for images of {}; give one, or one a channel", option, fmt::join(given, ","),
              given.size(), to_string(image));
  return given;
}

void state(Graph& g, const StatedPixels& stated) {
  const auto recorded = recorded_range(g);
  auto& p = g.pixels;
  if (recorded && stated.unless_recorded) {
    p = {Pixels::Origin::recorded, recorded->low, recorded->high, {}, {}};
    return;
  }
  if (recorded) {
    if (!stated.mean.empty() || !stated.deviation.empty())
      fail_user(
          "--input-{}: this file was made with its normalisation inside, and takes images as they are; leave "
          "the "
          "option out",
          stated.mean.empty() ? "std" : "mean");
    if (stated.range && (stated.range->low != recorded->low || stated.range->high != recorded->high))
      fail_user("--input-range {},{}: this file was made for pixels from {} to {}; leave the option out",
                stated.range->low, stated.range->high, recorded->low, recorded->high);
    p = {Pixels::Origin::recorded, recorded->low, recorded->high, {}, {}};
    return;
  }
  const double divisor = first_divisor(g);
  if (!stated.range) {
    if (p.origin == Pixels::Origin::assumed && divisor > 0) p = {Pixels::Origin::found, 0, 255, {}, {}};
    if (stated.any() && p.origin == Pixels::Origin::assumed) p.origin = Pixels::Origin::stated;
  } else {
    p = {Pixels::Origin::stated, stated.range->low, stated.range->high, {}, {}};
    if (divisor > 0 && p.high < 128)
      g.notes.push_back(fmt::format(
          "the first step divides by {}, as for pixels from 0 to 255; --input-range says {} to {}", divisor,
          p.low, p.high));
  }
  p.mean = stated.mean;
  p.deviation = stated.deviation;
}

std::string unused(const Graph& g, std::string name) {
  const auto taken = [&] {
    return name == g.input ||
           std::ranges::any_of(g.nodes, [&](const Node& n) { return n.name == name || n.output == name; });
  };
  while (taken()) name += "_";
  return name;
}

}  // namespace

StatedPixels parse_pixels(const std::string& range, const std::string& mean, const std::string& deviation) {
  StatedPixels stated;
  if (const auto ends = numbers("--input-range", range); !ends.empty()) {
    if (ends.size() != 2 || !(ends[0] < ends[1]))
      fail_user("--input-range {}: expected two numbers, of black and of white, such as 0,255 or -1,1",
                range);
    stated.range = Range{ends[0], ends[1]};
  }
  stated.mean = numbers("--input-mean", mean);
  stated.deviation = numbers("--input-std", deviation);
  for (const double d : stated.deviation)
    if (!(d > 0)) fail_user("--input-std {}: pixels are divided by it, expected numbers above 0", deviation);
  return stated;
}

Pixels StatedPixels::pixels() const {
  Pixels p;
  if (any()) p.origin = Pixels::Origin::stated;
  if (range) p.low = range->low, p.high = range->high;
  p.mean = mean;
  p.deviation = deviation;
  return p;
}

Shape parse_shape(const std::string& text) {
  Shape shape;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    std::int64_t extent = 0;
    const auto [next, error] = std::from_chars(at, end, extent);
    if (error != std::errc() || extent < 1 || (next != end && (*next != ',' || next + 1 == end)))
      fail_user("--shape {}: expected the size of an image, such as 3,224,224 (channels, height, width)",
                text);
    shape.push_back(extent);
    at = next == end ? end : next + 1;
  }
  return shape;
}

ScaleShift pixels_layer(const Pixels& p, const Shape& image) {
  const auto mean = by_channel("--input-mean", p.mean, image, 0),
             deviation = by_channel("--input-std", p.deviation, image, 1);
  const auto count = std::max(mean.size(), deviation.size());
  ScaleShift layer;
  for (std::size_t c = 0; c < count; ++c) {
    const double m = mean[mean.size() == 1 ? 0 : c], d = deviation[deviation.size() == 1 ? 0 : c];
    layer.scale.values.push_back(static_cast<float>((p.high - p.low) / d));
    layer.shift.values.push_back(static_cast<float>((p.low - m) / d));
  }
  if (count > 1) layer.scale.dims = layer.shift.dims = {static_cast<std::int64_t>(count), 1, 1};
  return layer;
}

void take_pixels(Graph& g, const StatedPixels& stated) {
  state(g, stated);
  if (g.pixels.origin == Pixels::Origin::recorded) return;
  const auto layer = pixels_layer(g.pixels, g.input_shape);
  if (to_field(layer.scale).is(1) && to_field(layer.shift).is(0)) return;
  Node node{unused(g, "pixels"), layer, {g.input}, unused(g, g.input + ".pixels"), g.input_shape};
  for (auto& n : g.nodes)
    for (auto& in : n.inputs)
      if (in == g.input) in = node.output;
  if (g.output == g.input) g.output = node.output;
  // What is recorded of the file's input is of what that layer makes.
  if (const auto range = g.ranges.extract(g.input)) g.ranges[node.output] = range.mapped();
  g.input_range = {0, 1, 0};
  g.nodes.insert(g.nodes.begin(), std::move(node));
}

std::string pixels_text(const Pixels& p) {
  auto text = fmt::format("{:g} to {:g}", p.low, p.high);
  if (!p.mean.empty()) text += fmt::format(", less {:g}", fmt::join(p.mean, ","));
  if (!p.deviation.empty()) text += fmt::format(", over {:g}", fmt::join(p.deviation, ","));
  switch (p.origin) {
    case Pixels::Origin::assumed:
      return text + " (assumed: --input-range LO,HI says otherwise)";
    case Pixels::Origin::integers:
      return text + " (its input is of whole numbers)";
    case Pixels::Origin::found:
      return text + " (found: its first step divides by them)";
    case Pixels::Origin::recorded:
      return text + " (recorded in the file)";
    case Pixels::Origin::stated:
      return text + " (as stated)";
  }
  return text;
}

std::string pixels_record(const Pixels& p) {
  return p.origin == Pixels::Origin::assumed ? "" : fmt::format("{} {}", p.low, p.high);
}

}  // namespace velum::model
