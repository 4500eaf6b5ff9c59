#include <algorithm>

#include "plan/lower/network.h"

namespace velum::plan {

namespace {

// Elements of each vector that some later stage reads.
std::vector<std::vector<bool>> find_used(const Network& net) {
  std::vector<std::vector<bool>> used;
  for (const auto& v : net.vectors) used.emplace_back(v.elements, false);
  used.back().assign(used.back().size(), true);
  for (std::size_t s = net.stages.size(); s-- > 0;) {
    std::vector<std::uint32_t> supports;
    for (std::size_t e = 0; e < net.stages[s].rows.size(); ++e)
      if (used[s + 1][e]) supports.push_back(net.stages[s].rows[e].support);
    std::sort(supports.begin(), supports.end());
    supports.erase(std::unique(supports.begin(), supports.end()), supports.end());
    for (const auto id : supports)
      for (const auto c : net.supports[id]) {
        const auto& range = net.columns.ranges()[net.columns.index_of(c)];
        used[range.vector][c - range.first] = true;
      }
  }
  return used;
}

}  // namespace

void remove_unused(Network& net) {
  auto used = find_used(net);
  // A network that ignores its input still has one.
  if (std::find(used[0].begin(), used[0].end(), true) == used[0].end()) used[0][0] = true;
  std::vector<std::vector<std::uint32_t>> place(net.vectors.size());  // new index of each element
  for (std::size_t v = 0; v < net.vectors.size(); ++v) {
    std::uint32_t next = 0;
    for (const bool u : used[v]) place[v].push_back(u ? next++ : kAbsent);
    auto& vector = net.vectors[v];
    if (next == vector.elements) continue;
    std::vector<std::uint32_t> row_begin{0};
    for (std::size_t r = 0; r + 1 < vector.row_begin.size(); ++r) {
      auto end = row_begin.back();
      for (auto e = vector.row_begin[r]; e < vector.row_begin[r + 1]; ++e) end += used[v][e] ? 1 : 0;
      if (end > row_begin.back()) row_begin.push_back(end);
    }
    std::vector<std::uint32_t> channel, kept;
    for (std::uint32_t e = 0; e < vector.elements; ++e) {
      if (!used[v][e]) continue;
      channel.push_back(vector.channel[e]);
      kept.push_back(e);
    }
    vector.channel = std::move(channel);
    vector.meaning = select(vector.meaning, kept);
    vector.row_begin = std::move(row_begin);
    vector.elements = next;
    if (v > 0) continue;
    // Pixels that no weight touches are not sent.
    std::vector<std::uint32_t> order;
    order.reserve(kept.size());
    for (const auto e : kept) order.push_back(net.input_order[e]);
    net.input_order = std::move(order);
  }

  ColumnTable columns;
  for (const auto& r : net.columns.ranges()) columns.range(r.vector, r.kind, net.vectors[r.vector].elements);
  Supports supports;
  std::unordered_map<std::uint32_t, std::uint32_t> renamed;
  const auto rename = [&](std::uint32_t id) {
    const auto [it, fresh] = renamed.try_emplace(id, 0u);
    if (fresh) {
      std::vector<Column> list;
      for (const auto c : net.supports[id]) {
        const std::size_t range = net.columns.index_of(c);
        const auto& old = net.columns.ranges()[range];
        list.push_back(columns.ranges()[range].first + place[old.vector][c - old.first]);
      }
      it->second = supports.intern(std::move(list));
    }
    return it->second;
  };
  for (std::size_t s = 0; s < net.stages.size(); ++s) {
    auto& stage = net.stages[s];
    std::vector<Row> rows;
    std::vector<double> bias;
    for (std::size_t e = 0; e < stage.rows.size(); ++e) {
      if (!used[s + 1][e]) continue;
      rows.push_back({rename(stage.rows[e].support), stage.rows[e].weights});
      bias.push_back(stage.bias[e]);
    }
    stage.rows = std::move(rows);
    stage.bias = std::move(bias);
  }
  net.columns = std::move(columns);
  net.supports = std::move(supports);
}

}  // namespace velum::plan
