#include "model/execute.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/parallel.h"
#include "model/execution.h"

namespace velum::model {

Execution prepare_execution(const Graph& g) {
  Execution e;
  e.graph = &g;
  std::unordered_map<std::string, Shape> shapes{{g.input, g.input_shape}};
  std::unordered_map<std::string, std::size_t>
      last_use;  // by tensor: the step after which its buffer is free
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    for (const auto& t : g.nodes[i].inputs) last_use[t] = i;
    last_use.try_emplace(g.nodes[i].output, i);
  }
  last_use[g.output] = g.nodes.size();
  last_use.try_emplace(g.input, 0);

  std::unordered_map<std::string, std::size_t> buffer;
  std::vector<std::size_t> idle;
  const auto assign = [&](const std::string& tensor, const Shape& shape) {
    const auto n = static_cast<std::size_t>(element_count(shape));
    if (idle.empty()) {
      idle.push_back(e.buffer_elements.size());
      e.buffer_elements.push_back(0);
    }
    const auto b = idle.back();
    idle.pop_back();
    e.buffer_elements[b] = std::max(e.buffer_elements[b], n);
    return buffer[tensor] = b;
  };
  e.input = assign(g.input, g.input_shape);
  for (std::size_t i = 0; i < g.nodes.size(); ++i) {
    const Node& node = g.nodes[i];
    std::vector<Shape> inputs;
    Execution::Step step;
    step.node = &node;
    for (const auto& t : node.inputs) {
      const auto at = shapes.find(t);
      if (at == shapes.end())
        fail_user("node '{}' reads tensor '{}', which no earlier node produces", node.name, t);
      inputs.push_back(at->second);
      step.inputs.push_back(buffer.at(t));
    }
    step.kernel = prepare_layer(node, inputs);
    shapes[node.output] = node.shape;
    step.output = assign(node.output, node.shape);
    e.steps.push_back(std::move(step));
    std::vector<std::string> ended(node.inputs);
    ended.push_back(node.output);
    std::sort(ended.begin(), ended.end());
    ended.erase(std::unique(ended.begin(), ended.end()), ended.end());
    for (const auto& t : ended)
      if (last_use.at(t) == i) idle.push_back(buffer.at(t));
  }
  const auto out = buffer.find(g.output);
  if (out == buffer.end()) fail_user("network '{}': no node produces its output '{}'", g.name, g.output);
  e.output = out->second;
  e.input_elements = static_cast<std::size_t>(element_count(g.input_shape));
  e.output_elements = static_cast<std::size_t>(element_count(shapes.at(g.output)));
  return e;
}

Tiles make_tiles(const Execution& e, std::size_t lanes) {
  Tiles tiles;
  for (const auto n : e.buffer_elements) tiles.emplace_back(n * lanes);
  return tiles;
}

void run_tile(const Execution& e, Tiles& tiles, std::size_t lanes, std::span<const float> images,
              std::size_t count, const TileObserver& observe) {
  double* in = tiles[e.input].data();
  for (std::size_t x = 0; x < e.input_elements; ++x)
    for (std::size_t l = 0; l < lanes; ++l)
      in[x * lanes + l] = l < count ? static_cast<double>(images[l * e.input_elements + x]) : 0.0;
  std::vector<const double*> from;
  for (std::size_t i = 0; i < e.steps.size(); ++i) {
    const auto& step = e.steps[i];
    from.clear();
    for (const auto b : step.inputs) from.push_back(tiles[b].data());
    step.kernel(from, tiles[step.output].data(), lanes);
    if (observe)
      observe(i, tiles[step.output].span().first(static_cast<std::size_t>(element_count(step.node->shape)) *
                                                 lanes));
  }
}

std::size_t lanes_for(std::size_t count) {
  return std::clamp((count + lane_block - 1) / lane_block * lane_block, lane_block, max_lanes);
}

void check_images(const Graph& g, std::size_t pixels, std::size_t count) {
  const auto elements = static_cast<std::size_t>(element_count(g.input_shape));
  if (elements == 0 || pixels % elements != 0 || pixels / elements != count)
    fail_user("network '{}' takes images of {} ({} values), got {} values for {} images", g.name,
              to_string(g.input_shape), elements, pixels, count);
}

std::vector<double> execute(const Graph& g, std::span<const float> images, std::size_t count) {
  check_images(g, images.size(), count);
  const Execution e = prepare_execution(g);
  const std::size_t lanes = lanes_for(count);
  std::vector<double> out(count * e.output_elements);
  const int team = threads();
  std::vector<Tiles> tiles(static_cast<std::size_t>(team));
  parallel_for((count + lanes - 1) / lanes, team, [&](std::size_t tile, int worker) {
    auto& mine = tiles[static_cast<std::size_t>(worker)];
    if (mine.empty()) mine = make_tiles(e, lanes);
    const std::size_t first = tile * lanes, here = std::min(lanes, count - first);
    run_tile(e, mine, lanes, images.subspan(first * e.input_elements, here * e.input_elements), here);
    const double* y = mine[e.output].data();
    for (std::size_t l = 0; l < here; ++l)
      for (std::size_t o = 0; o < e.output_elements; ++o)
        out[(first + l) * e.output_elements + o] = y[o * lanes + l];
  });
  return out;
}

void execute_observed(const Graph& g, std::span<const float> image,
                      const std::function<void(const Node&, std::span<const double>)>& observe) {
  check_images(g, image.size(), 1);
  const Execution e = prepare_execution(g);
  Tiles tiles = make_tiles(e, lane_block);
  std::vector<double> values;
  run_tile(e, tiles, lane_block, image, 1, [&](std::size_t step, std::span<const double> tile) {
    values.resize(tile.size() / lane_block);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = tile[i * lane_block];
    observe(*e.steps[step].node, values);
  });
}

}  // namespace velum::model
