#include "report/activations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "model/execution.h"

namespace velum::report {

namespace {

struct Extremes {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  void add(double x) {
    low = std::min(low, x);
    high = std::max(high, x);
  }
  void add(const Extremes& o) {
    low = std::min(low, o.low);
    high = std::max(high, o.high);
  }
};

bool is_activation(const model::Node& node) {
  return std::holds_alternative<model::Quadratic>(node.op) || std::holds_alternative<model::Relu>(node.op);
}

// What a worker has seen of one tensor: by element.
using Seen = std::vector<Extremes>;

// Where each activation's input and output are made.
struct Place {
  const model::Node* node = nullptr;
  std::size_t input = 0, output = 0;  // tensor numbers: 0 is the network's input, i + 1 the output of step i
};

std::vector<Place> find_places(const model::Graph& g) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    if (!is_activation(g.nodes[i])) continue;
    Place place{&g.nodes[i], 0, i + 1};
    for (std::size_t j = 0; j < i; ++j)
      if (g.nodes[j].output == g.nodes[i].inputs.at(0)) place.input = j + 1;
    places.push_back(place);
  }
  return places;
}

model::Range to_range(const Seen& seen, double squares, std::size_t count) {
  Extremes all;
  for (const auto& x : seen) all.add(x);
  return {all.low, all.high,
          std::sqrt(squares / (static_cast<double>(count) * static_cast<double>(seen.size())))};
}

std::vector<std::size_t> spread(std::size_t elements, std::size_t units) {
  std::vector<std::size_t> chosen;
  for (std::size_t u = 0; u < std::min(units, elements); ++u)
    chosen.push_back((2 * u + 1) * elements / (2 * std::min(units, elements)));
  return chosen;
}

Curve curve_of(const model::Quadratic& q, const model::Shape& shape, std::size_t element) {
  return {model::broadcast(q.a, shape)[element], model::broadcast(q.b, shape)[element],
          model::broadcast(q.c, shape)[element]};
}

}  // namespace

std::size_t images_to_observe(std::size_t count, std::size_t elements) {
  constexpr std::size_t kImages = 1000, kElements = 20'000'000;
  return std::min({count, kImages, std::max<std::size_t>(1, kElements / std::max<std::size_t>(1, elements))});
}

std::vector<Activation> observe_activations(const model::Graph& g, std::span<const float> images,
                                            std::size_t count, std::size_t units) {
  model::check_images(g, images.size(), count);
  const auto places = find_places(g);
  if (places.empty() || count == 0) return {};
  const auto execution = model::prepare_execution(g);
  std::vector<bool> wanted(g.nodes.size() + 1);
  for (const auto& place : places) wanted[place.input] = wanted[place.output] = true;

  const auto lanes = model::lanes_for(count), tile_count = (count + lanes - 1) / lanes;
  const int team = threads();
  const auto workers = static_cast<std::size_t>(team);
  std::vector<model::Tiles> tiles(workers);
  // Least and greatest do not depend on the order, so a worker keeps its own; sums are kept by tile.
  std::vector<std::vector<Seen>> seen(workers, std::vector<Seen>(wanted.size()));
  std::vector<std::vector<double>> squares(tile_count, std::vector<double>(wanted.size()));
  parallel_for(tile_count, team, [&](std::size_t tile, int worker) {
    const auto w = static_cast<std::size_t>(worker);
    if (tiles[w].empty()) tiles[w] = model::make_tiles(execution, lanes);
    const auto first = tile * lanes, here = std::min(lanes, count - first);
    const auto some = images.subspan(first * execution.input_elements, here * execution.input_elements);
    const auto add = [&](std::size_t tensor, std::size_t element, double x) {
      seen[w][tensor][element].add(x);
      squares[tile][tensor] += x * x;
    };
    if (wanted[0]) {
      seen[w][0].resize(execution.input_elements);
      for (std::size_t i = 0; i < some.size(); ++i)
        add(0, i % execution.input_elements, static_cast<double>(some[i]));
    }
    model::run_tile(execution, tiles[w], lanes, some, here,
                    [&](std::size_t step, std::span<const double> values) {
                      if (!wanted[step + 1]) return;
                      seen[w][step + 1].resize(values.size() / lanes);
                      for (std::size_t e = 0; e < values.size() / lanes; ++e)
                        for (std::size_t l = 0; l < here; ++l) add(step + 1, e, values[e * lanes + l]);
                    });
  });

  std::vector<Seen> all(wanted.size());
  std::vector<double> square_sums(wanted.size());
  for (std::size_t t = 0; t < wanted.size(); ++t) {
    for (const auto& mine : seen) {
      all[t].resize(std::max(all[t].size(), mine[t].size()));
      for (std::size_t e = 0; e < mine[t].size(); ++e) all[t][e].add(mine[t][e]);
    }
    for (const auto& sums : squares) square_sums[t] += sums[t];
  }

  std::vector<Activation> out;
  for (const auto& place : places) {
    Activation a;
    a.name = place.node->name;
    a.relu = std::holds_alternative<model::Relu>(place.node->op);
    a.elements = all[place.output].size();
    a.input = to_range(all[place.input], square_sums[place.input], count);
    a.output = to_range(all[place.output], square_sums[place.output], count);
    if (const auto recorded = g.ranges.find(place.node->inputs[0]); recorded != g.ranges.end())
      a.planned = recorded->second;
    if (const auto* q = std::get_if<model::Quadratic>(&place.node->op))
      for (const auto e : spread(a.elements, units))
        a.units.push_back({e, all[place.input][e].low, all[place.input][e].high,
                           curve_of(*q, place.node->shape, e), std::nullopt});
    out.push_back(std::move(a));
  }
  return out;
}

void add_teacher_ranges(std::vector<Activation>& activations, const std::vector<Activation>& teacher) {
  if (activations.size() != teacher.size()) return;
  for (std::size_t i = 0; i < activations.size(); ++i) activations[i].teacher = teacher[i].input;
}

void add_start_curves(std::vector<Activation>& activations, const model::Graph& start) {
  for (auto& a : activations)
    for (const auto& node : start.nodes) {
      const auto* q = std::get_if<model::Quadratic>(&node.op);
      if (!q || node.name != a.name) continue;
      for (auto& unit : a.units)
        if (static_cast<std::int64_t>(unit.element) < model::element_count(node.shape))
          unit.start = curve_of(*q, node.shape, unit.element);
    }
}

}  // namespace velum::report
