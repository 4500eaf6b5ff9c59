// A network made ready to run: kernels, and buffers shared between tensors that are never alive together.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "model/graph.h"
#include "model/layer_kernels.h"

namespace velum::model {

struct Execution {
  struct Step {
    const Node* node;
    LayerKernel kernel;
    std::vector<std::size_t> inputs;  // buffer numbers
    std::size_t output = 0;
  };
  const Graph* graph = nullptr;
  std::size_t input_elements = 0, output_elements = 0;
  std::size_t input = 0, output = 0;  // buffer numbers
  std::vector<std::size_t> buffer_elements;
  std::vector<Step> steps;
};

// The graph must outlive the execution.
Execution prepare_execution(const Graph& g);

// The buffers of one worker.
using Tiles = std::vector<AlignedBuffer<double>>;
Tiles make_tiles(const Execution& e, std::size_t lanes);

// Runs images [count][input elements], count <= lanes; unused lanes hold zeros. After each step calls
// observe(step number, tile of the output), if given. The output is left in tiles[e.output].
using TileObserver = std::function<void(std::size_t step, std::span<const double> tile)>;
void run_tile(const Execution& e, Tiles& tiles, std::size_t lanes, std::span<const float> images,
              std::size_t count, const TileObserver& observe = {});

// Lanes for a batch of `count` images.
std::size_t lanes_for(std::size_t count);

// Refuses a number of pixels that is not `count` images of the network's input.
void check_images(const Graph& g, std::size_t pixels, std::size_t count);

}  // namespace velum::model
