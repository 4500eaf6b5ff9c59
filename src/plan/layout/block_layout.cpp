#include "plan/layout/block_layout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace velum::plan {

namespace {

// Channel, height and width of an element of a vector.
struct Position {
  std::int64_t c = 0, y = 0, x = 0;
};
Position position_of(const Vector& v, std::uint32_t element) {
  const std::int64_t at = v.meaning.position[element];
  if (v.shape.size() != 3) return {at, 0, 0};
  const auto area = v.shape[1] * v.shape[2];
  return {at / area, at % area / v.shape[2], at % v.shape[2]};
}

// Ciphertexts in the order of their keys: elements placed so far, by key and block.
template <typename Key>
class Filling {
 public:
  Filling(std::uint32_t blocks, std::uint32_t elements) : blocks_(blocks), elements_(elements) {}

  void put(const Key& key, std::uint32_t block, std::uint32_t element) {
    auto& ct = ciphertexts_[key];
    if (ct.empty()) ct.assign(blocks_, kAbsent);
    ct[block] = element;
  }

  // `row_of` and `channel_of` of a key.
  template <typename RowOf, typename ChannelOf>
  BlockLayout finish(RowOf&& row_of, ChannelOf&& channel_of) {
    layout_.blocks = blocks_;
    layout_.row_begin = {0};
    const Key* last = nullptr;
    for (const auto& [key, ct] : ciphertexts_) {
      if (last && row_of(*last) != row_of(key)) layout_.row_begin.push_back(layout_.ciphertexts);
      last = &key;
      layout_.element.insert(layout_.element.end(), ct.begin(), ct.end());
      layout_.channel.push_back(channel_of(key));
      ++layout_.ciphertexts;
    }
    layout_.row_begin.push_back(layout_.ciphertexts);
    layout_.places = ElementPlaces(layout_.element, elements_, blocks_);
    return std::move(layout_);
  }

 private:
  std::uint32_t blocks_, elements_;
  std::map<Key, std::vector<std::uint32_t>> ciphertexts_;
  BlockLayout layout_;
};

}  // namespace

ElementPlaces::ElementPlaces(const Layout& element, std::uint32_t elements, std::uint32_t blocks)
    : begin_(std::size_t{elements} + 1, 0) {
  for (const auto e : element)
    if (e != kAbsent) ++begin_[e + 1];
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  all_.resize(begin_.back());
  auto next = begin_;
  for (std::size_t at = 0; at < element.size(); ++at)
    if (element[at] != kAbsent)
      all_[next[element[at]]++] = {static_cast<std::uint32_t>(at / blocks),
                                   static_cast<std::uint32_t>(at % blocks)};
}

BlockLayout grid_layout(const Vector& vector, const GridShape& grid, std::uint32_t blocks) {
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;  // y and x in the rectangle, channel
  Filling<Key> filling(blocks, vector.elements);
  for (std::uint32_t e = 0; e < vector.elements; ++e) {
    const auto at = position_of(vector, e);
    const auto y = static_cast<std::uint32_t>(at.y), x = static_cast<std::uint32_t>(at.x),
               c = static_cast<std::uint32_t>(at.c);
    const auto block = c % grid.packed * grid.area + y / grid.y.tile * grid.y.gap * grid.columns +
                       x / grid.x.tile * grid.x.gap;
    filling.put({y % grid.y.tile, x % grid.x.tile, c / grid.packed}, block, e);
  }
  // A row for each place of a rectangle: what is read at one place only is held for its row's task alone.
  return filling.finish(
      [](const Key& k) {
        return std::pair{std::get<0>(k), std::get<1>(k)};
      },
      [](const Key& k) { return std::get<2>(k); });
}

BlockLayout spread_layout(const Vector& vector, std::uint32_t blocks) {
  Filling<std::uint32_t> filling(blocks, vector.elements);
  for (std::uint32_t e = 0; e < vector.elements; ++e) filling.put(e / blocks, e % blocks, e);
  return filling.finish([](std::uint32_t) { return 0u; }, [](std::uint32_t k) { return k; });
}

BlockLayout gathered_layout(const Network& network, const BlockLayout& outputs, std::uint32_t blocks) {
  const auto& input = network.vectors[0];
  const auto& first = network.vectors[1];
  const auto& stage = network.stages[0];
  // A tap is where an input lies from the place of the output, scaled to the input's size: equal taps of all
  // outputs share a ciphertext, and with it one weight.
  const auto stride = [&](std::size_t axis) -> std::int64_t {
    if (input.shape.size() != 3 || first.shape.size() != 3) return 0;
    return std::max<std::int64_t>(
        1, std::llround(static_cast<double>(input.shape[axis]) / static_cast<double>(first.shape[axis])));
  };
  const std::int64_t stride_y = stride(1), stride_x = stride(2);
  // Outputs at the same place of their rectangles share their inputs: they read the same elements block by
  // block.
  std::map<std::vector<std::uint32_t>, std::uint32_t> kinds;
  using Tap = std::tuple<std::uint32_t, std::int64_t, std::int64_t, std::int64_t>;  // kind, channel, dy, dx
  Filling<Tap> filling(blocks, input.elements);
  std::vector<std::uint32_t> supports(blocks);
  RangeFinder finder(network.columns);
  for (std::uint32_t t = 0; t < outputs.ciphertexts; ++t) {
    for (std::uint32_t p = 0; p < blocks; ++p) {
      const auto e = outputs.element[std::size_t{t} * blocks + p];
      supports[p] = e == kAbsent ? kAbsent : stage.rows[e].support;
    }
    const auto [it, fresh] = kinds.try_emplace(supports, static_cast<std::uint32_t>(kinds.size()));
    if (!fresh) continue;
    for (std::uint32_t p = 0; p < blocks; ++p) {
      const auto e = outputs.element[std::size_t{t} * blocks + p];
      if (e == kAbsent) continue;
      const auto out = position_of(first, e);
      for (const auto column : network.supports[supports[p]]) {
        const auto& range = finder.range_of(column);
        const auto in = position_of(input, column - range.first);
        filling.put({it->second, in.c, in.y - stride_y * out.y, in.x - stride_x * out.x}, p,
                    column - range.first);
      }
    }
  }
  return filling.finish([](const Tap& t) { return std::get<0>(t); },
                        [](const Tap& t) { return static_cast<std::uint32_t>(std::get<1>(t)); });
}

}  // namespace velum::plan
