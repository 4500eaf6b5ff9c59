#include "plan/lower/size_limit.h"

#include <algorithm>
#include <variant>

#include "base/error.h"
#include "base/units.h"

namespace velum::plan {

namespace {

// Every element takes more than this while planning, whatever the layer.
constexpr std::uint64_t kBytesAnElement = 256;

std::int64_t check(const model::Shape& shape, std::int64_t most, const std::string& what) {
  // Dimension by dimension: the product itself may not fit.
  std::int64_t elements = 1;
  for (const auto d : shape) {
    elements *= d;
    if (d < 0 || d > most || elements > most)
      fail_user(
          "{} is {}, more than the {} elements that can be planned; use smaller images, less padding or a "
          "larger "
          "stride",
          what, model::to_string(shape), most);
  }
  return elements;
}

// Padding wider than the image and the kernel together: outputs that see nothing but zeros, in any number.
void check_padding(const model::Node& node, const model::Shape& in) {
  const auto* c = std::get_if<model::Convolution>(&node.op);
  if (!c || in.size() != 3) return;
  const auto along = [&](std::int64_t before, std::int64_t after, std::int64_t kernel, std::int64_t dilation,
                         std::int64_t extent) {
    const auto span = dilation * (kernel - 1) + 1;
    if (std::max(before, after) > span + extent)
      fail_user(
          "{}: pads {} and {} around an extent of {}, more than its kernel of {} and the image together; "
          "lower "
          "the padding",
          node.name, before, after, extent, span);
  };
  along(c->pad_top, c->pad_bottom, c->kernel_h, c->dilation_h, in[1]);
  along(c->pad_left, c->pad_right, c->kernel_w, c->dilation_w, in[2]);
}

}  // namespace

void check_sizes(const model::Graph& graph, std::uint64_t memory_bytes) {
  std::uint64_t elements =
      static_cast<std::uint64_t>(check(graph.input_shape, kMostInputElements, "the network's input"));
  for (const auto& node : graph.nodes) {
    elements +=
        static_cast<std::uint64_t>(check(node.shape, kMostTensorElements, node.name + ": its output"));
    check_padding(node, graph.shape_of(node.inputs[0]));
  }
  if (memory_bytes > 0 && elements * kBytesAnElement > memory_bytes)
    fail_user(
        "planning {} elements of all tensors takes {} at least, {} are available; use smaller images or a "
        "smaller network",
        elements, format_bytes(static_cast<double>(elements * kBytesAnElement)),
        format_bytes(static_cast<double>(memory_bytes)));
}

}  // namespace velum::plan
