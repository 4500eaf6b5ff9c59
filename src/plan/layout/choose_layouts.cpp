#include "plan/layout/choose_layouts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "plan/layout/rotation_counter.h"

namespace velum::plan {

namespace {

bool is_map(const Vector& v) {
  return v.shape.size() == 3 && v.shape[1] * v.shape[2] > 1;
}

std::uint32_t side(const Vector& v, std::size_t axis) {
  return static_cast<std::uint32_t>(v.shape[axis]);
}

// How much smaller a map is than the reference, as a power of two: what strides have made of it.
std::uint32_t shrinkage(std::uint32_t reference, std::uint32_t positions) {
  const double ratio = static_cast<double>(reference) / static_cast<double>(positions);
  return ratio <= 1 ? 1 : 1u << std::clamp(std::lround(std::log2(ratio)), 0L, 31L);
}

GridAxis axis_for(std::uint32_t tile, std::uint32_t shrunk) {
  if (tile == 0) fail("blocks of no rows or columns");
  return shrunk <= tile ? GridAxis{tile / shrunk, 1} : GridAxis{1, shrunk / tile};
}

// The grid of a whole network: rectangles of the reference map, and how far blocks reach.
struct NetworkGrid {
  const Network& network;
  std::size_t reference;  // the vector that tiles are counted in
  std::uint32_t tile_y, tile_x;

  GridAxis axis(const Vector& v, std::size_t a) const {
    const auto& ref = network.vectors[reference];
    const auto tile = a == 1 ? tile_y : tile_x;
    if (side(v, a) > side(ref, a)) {  // before the reference: its rectangles are larger
      const auto grown = shrinkage(side(v, a), side(ref, a));
      return {tile * grown, 1};
    }
    return axis_for(tile, shrinkage(side(ref, a), side(v, a)));
  }
  std::uint32_t reach(std::size_t a, bool with_input) const {
    std::uint32_t most = 1;
    for (std::size_t i = with_input ? 0 : 1; i < network.vectors.size(); ++i)
      if (is_map(network.vectors[i]))
        most = std::max(most, axis(network.vectors[i], a).reach(side(network.vectors[i], a)));
    return most;
  }
};

GridShape shape_for(const NetworkGrid& grid, const Vector& v, std::uint32_t rows, std::uint32_t columns,
                    std::uint32_t blocks, bool packed) {
  GridShape s;
  s.y = grid.axis(v, 1);
  s.x = grid.axis(v, 2);
  s.columns = columns;
  s.area = rows * columns;
  s.packed = packed ? std::min(side(v, 0), blocks / s.area) : 1;
  return s;
}

// Where all rotations are on the inputs, a stage holds many copies of each. It reads slice after slice of its
// inputs where it can hold fewer partial sums instead.
std::uint32_t slices_for(const StageRotations& n, std::uint32_t outputs) {
  constexpr std::uint64_t kMany = 256;
  constexpr std::uint32_t kMostSlices = 8;
  const auto most = std::max<std::uint64_t>(kMany, std::max<std::uint64_t>(n.inputs, outputs) * 3 / 4);
  std::uint32_t slices = 1;
  while (slices < kMostSlices && n.rotated / slices > most) slices *= 2;
  return slices;
}

// A split into baby and giant steps, and what it takes.
struct CountedSplit {
  std::uint32_t giant = 0;
  StageRotations n;

  double cost() const {
    // A partial sum is relinearised by itself, or its inputs are: about as many switches again.
    const double switches = static_cast<double>(n.rotated) * 0.6 + static_cast<double>(n.inputs) * 0.4 +
                            static_cast<double>(n.giants);
    return switches + static_cast<double>(n.products) / kProductsASwitch;
  }
};

// All splits of a stage that may be worth it. Pools that keep their scale as sums have no giant steps.
std::vector<CountedSplit> count_splits(const Network& net, const LayoutChoice& choice, std::size_t stage) {
  const RotationCounter counter(net, choice.layouts, stage);
  std::vector<CountedSplit> all{{0, counter.count(0)}};
  if (net.stages[stage].sum_steps <= 0 && all[0].n.rotated > 16)
    for (std::uint32_t giant = 4; giant < choice.blocks; giant *= 2)
      all.push_back({giant, counter.count(giant)});
  return all;
}

// The split that costs least.
CountedSplit cheapest(const std::vector<CountedSplit>& all) {
  return *std::min_element(all.begin(), all.end(),
                           [](const auto& a, const auto& b) { return a.cost() < b.cost(); });
}

// The cheapest of those with giant steps that hold about as many rotated copies as they read and make, or the
// one with fewest copies where all hold more.
CountedSplit with_few_copies(const std::vector<CountedSplit>& all, std::uint64_t outputs) {
  constexpr std::uint64_t kFew = 256;
  const auto rank = [&](const CountedSplit& c) {
    const auto few = std::max(kFew, c.n.inputs + outputs);
    return std::tuple{c.giant == 0, c.n.rotated > few ? c.n.rotated - few : 0, c.cost()};
  };
  return *std::min_element(all.begin(), all.end(),
                           [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

void use_split(LayoutChoice& choice, const Network& net, std::size_t stage, const CountedSplit& split) {
  choice.giants.push_back(split.giant);
  const bool sums = net.stages[stage].sum_steps > 0;
  choice.slices.push_back(
      sums || split.giant > 0 ? 1 : slices_for(split.n, choice.layouts[stage + 1].ciphertexts));
  // The input comes as it is read.
  const std::uint64_t read = stage == 0 ? 0 : choice.layouts[stage].ciphertexts;
  const auto rotated = split.n.rotated / choice.slices.back();
  choice.held = std::max(choice.held, read + rotated + choice.layouts[stage + 1].ciphertexts);
  choice.switches += split.n.rotated + split.n.giants;
  choice.products += split.n.products;
}

std::vector<BlockLayout> lay_out(const NetworkGrid& grid, std::uint32_t blocks, bool gathered, bool packed) {
  const auto& net = grid.network;
  const auto rows = grid.reach(1, !gathered), columns = grid.reach(2, !gathered);
  std::vector<BlockLayout> layouts(net.vectors.size());
  for (std::size_t v = gathered ? 1 : 0; v < net.vectors.size(); ++v) {
    const auto& vector = net.vectors[v];
    layouts[v] = is_map(vector)
                     ? grid_layout(vector, shape_for(grid, vector, rows, columns, blocks, packed), blocks)
                     : spread_layout(vector, blocks);
  }
  if (gathered) layouts[0] = gathered_layout(net, layouts[1], blocks);
  return layouts;
}

constexpr std::uint32_t kLargestTile = 128;  // positions of a rectangle on a side

// A grid for one map alone: the smallest rectangles whose blocks fit, as square as can be, and as many
// channels as fit beside each other.
GridShape own_grid(const Vector& v, std::uint32_t blocks) {
  GridShape best;
  std::pair<std::uint32_t, std::uint32_t> least{~0u, ~0u};
  for (std::uint32_t ty = 1; ty <= kLargestTile; ty *= 2)
    for (std::uint32_t tx = 1; tx <= kLargestTile; tx *= 2) {
      GridShape s;
      s.y = {ty, 1};
      s.x = {tx, 1};
      s.columns = s.x.reach(side(v, 2));
      s.area = s.y.reach(side(v, 1)) * s.columns;
      if (s.area > blocks || std::pair{ty * tx, std::max(ty, tx)} >= least) continue;
      least = {ty * tx, std::max(ty, tx)};
      s.packed = std::min(side(v, 0), blocks / s.area);
      best = s;
    }
  return best;
}

// Every map on a grid of its own, without the gaps that strides leave in a grid shared by all: what makes a
// map smaller pays for the move.
std::vector<BlockLayout> lay_out_compact(const Network& net, std::uint32_t blocks, bool gathered) {
  std::vector<BlockLayout> layouts(net.vectors.size());
  for (std::size_t v = gathered ? 1 : 0; v < net.vectors.size(); ++v)
    layouts[v] = is_map(net.vectors[v])
                     ? grid_layout(net.vectors[v], own_grid(net.vectors[v], blocks), blocks)
                     : spread_layout(net.vectors[v], blocks);
  if (gathered) layouts[0] = gathered_layout(net, layouts[1], blocks);
  return layouts;
}

// Whether rectangles of at most kLargestTile positions a side are enough for every map.
bool fits_own_grids(const Network& net, std::uint32_t blocks) {
  return std::all_of(net.vectors.begin(), net.vectors.end(), [&](const Vector& v) {
    const GridAxis largest{kLargestTile, 1};
    return !is_map(v) || largest.reach(side(v, 1)) * largest.reach(side(v, 2)) <= blocks;
  });
}

// Whether only the first stage reads the input.
bool first_reads_input_alone(const Network& net) {
  for (std::size_t s = 1; s < net.stages.size(); ++s)
    if (reads(net, net.stages[s], 0)) return false;
  return true;
}

// The most ciphertexts that a gathered input may take, in multiples of the elements of an image.
constexpr double kMostGathered = 1.0;

void add_choice(const Network& net, std::vector<BlockLayout> layouts, std::uint32_t blocks, std::string what,
                std::vector<LayoutChoice>& all) {
  LayoutChoice c;
  c.blocks = blocks;
  c.what = std::move(what);
  c.layouts = std::move(layouts);
  auto few = c;  // for plans that are short of memory; where inputs are cut into slices few are held anyway
  for (std::size_t s = 0; s < net.stages.size(); ++s) {
    const auto splits = count_splits(net, c, s);
    const auto best = cheapest(splits);
    use_split(c, net, s, best);
    use_split(few, net, s, best.giant > 0 ? with_few_copies(splits, c.layouts[s + 1].ciphertexts) : best);
  }
  few.what += ", few rotated copies";
  few.few_copies = true;
  if (few.giants != c.giants) all.push_back(std::move(few));
  all.push_back(std::move(c));
}

}  // namespace

std::vector<LayoutChoice> layouts_for(const Network& net, std::uint32_t blocks) {
  std::vector<LayoutChoice> all;
  const bool any_map = std::any_of(net.vectors.begin(), net.vectors.end(), is_map);
  const bool may_gather = first_reads_input_alone(net);
  for (const bool gathered : {false, true}) {
    if (gathered && !may_gather) continue;
    // Rectangles are counted in the first map that is laid out by them.
    std::size_t reference = gathered ? 1 : 0;
    while (reference < net.vectors.size() && !is_map(net.vectors[reference])) ++reference;
    if (!any_map || reference == net.vectors.size()) {
      std::vector<BlockLayout> layouts;
      for (const auto& v : net.vectors) layouts.push_back(spread_layout(v, blocks));
      if (gathered) layouts[0] = gathered_layout(net, layouts[1], blocks);
      if (gathered && layouts[0].ciphertexts > kMostGathered * net.vectors[0].elements) continue;
      add_choice(net, std::move(layouts), blocks,
                 gathered ? "input gathered" : "elements spread over the blocks", all);
      continue;
    }
    if (fits_own_grids(net, blocks)) {
      auto layouts = lay_out_compact(net, blocks, gathered);
      if (!gathered || layouts[0].ciphertexts <= kMostGathered * net.vectors[0].elements)
        add_choice(net, std::move(layouts), blocks,
                   fmt::format("a grid for each map{}", gathered ? ", input gathered" : ""), all);
    }
    // The smallest rectangles whose grid fits the blocks, as square as can be.
    std::optional<NetworkGrid> best;
    for (std::uint32_t ty = 1; ty <= kLargestTile; ty *= 2)
      for (std::uint32_t tx = 1; tx <= kLargestTile; tx *= 2) {
        const NetworkGrid grid{net, reference, ty, tx};
        if (grid.reach(1, !gathered) * grid.reach(2, !gathered) > blocks) continue;
        const auto rank = [](const NetworkGrid& g) {
          return std::pair{g.tile_y * g.tile_x, std::max(g.tile_y, g.tile_x)};
        };
        if (!best || rank(grid) < rank(*best)) best.emplace(grid);
      }
    if (!best) continue;
    const auto area = best->reach(1, !gathered) * best->reach(2, !gathered);
    for (const bool packed : {false, true}) {
      if (packed && (2 * area > blocks || best->tile_y * best->tile_x > 1)) continue;
      auto layouts = lay_out(*best, blocks, gathered, packed);
      if (gathered && layouts[0].ciphertexts > kMostGathered * net.vectors[0].elements) continue;
      add_choice(
          net, std::move(layouts), blocks,
          fmt::format("rectangles of {} by {}{}{}", best->tile_y, best->tile_x,
                      gathered ? ", input gathered" : "", packed ? ", channels share ciphertexts" : ""),
          all);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    const auto cost = [](const LayoutChoice& c) {
      return static_cast<double>(c.switches) + static_cast<double>(c.products) / kProductsASwitch;
    };
    return cost(a) < cost(b);
  });
  return all;
}

}  // namespace velum::plan
