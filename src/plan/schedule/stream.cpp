#include "plan/schedule/stream.h"

#include <algorithm>

#include "plan/schedule/memory.h"

namespace velum::plan {

namespace {

constexpr std::size_t kMostRows = 128;  // of a group that is cut by its inputs
constexpr std::uint64_t kMostStreamed = std::uint64_t{2} * 1024 * 1024;  // bytes of outputs over a slice
constexpr std::size_t kNarrowest = 64;                                   // columns

bool scalar(const Step& s) {
  return s.kind == StepKind::affine && !s.groups.empty() && s.periodic.empty() &&
         std::none_of(s.groups.begin(), s.groups.end(), [](const Group& g) { return g.pairs.empty(); });
}

bool reads(const Step& s, std::uint32_t value) {
  return std::any_of(s.sources.begin(), s.sources.end(), [&](const Source& x) { return x.value == value; });
}

std::size_t outputs_of(const Step& s) {
  std::size_t outputs = 0;
  for (const auto& g : s.groups) outputs += g.rows;
  return outputs;
}

// Pairs whose panel stays within its budget at so many columns.
std::size_t most_pairs(std::size_t polys, std::size_t columns) {
  return static_cast<std::size_t>(kPanelBudget / panel_bytes(1, polys, columns));
}

std::size_t columns_of(std::size_t outputs, std::size_t n) {
  std::size_t columns = std::min(kWideSlice, n);
  while (columns > kNarrowest && streamed_words(outputs, columns) * 8 > kMostStreamed) columns /= 2;
  return columns;
}

std::size_t widest(const std::vector<std::size_t>& cuts) {
  std::size_t most = 0;
  for (std::size_t c = 0; c + 1 < cuts.size(); ++c) most = std::max(most, cuts[c + 1] - cuts[c]);
  return most;
}

// Words of a panel, with the residues of a pair.
std::size_t panel_words(const Step& step, const std::vector<std::size_t>& cuts, std::size_t columns) {
  return (slice_bytes(columns) + panel_bytes(widest(cuts), step.polys, columns)) / 8;
}

std::size_t pairs_of(const Step& step, const Part& groups) {
  std::vector<bool> read(step.pairs.size(), false);
  for (const auto g : groups)
    for (const auto p : step.groups[g].pairs) read[p] = true;
  return static_cast<std::size_t>(std::count(read.begin(), read.end(), true));
}

}  // namespace

std::uint32_t possible_reader(const ServerPlan& plan, std::uint32_t step) {
  const auto& s = plan.steps[step];
  const std::size_t outputs = outputs_of(s), n = plan.client.params.n;
  if (plan.client.blocks != 1 || !scalar(s) || adds_squares(s) || s.finish != Finish::none ||
      s.output == plan.output_value || streamed_words(outputs, kNarrowest) * 8 > kMostStreamed)
    return kAbsent;
  for (const auto& source : s.sources)
    if (source.value != 0 || source.kind != SourceKind::plain) return kAbsent;
  const std::size_t most = most_pairs(s.polys, columns_of(outputs, n));
  for (const auto& g : s.groups)
    if (g.pairs.size() > most && g.rows > kMostRows) return kAbsent;
  std::uint32_t reader = kAbsent;
  for (std::uint32_t other = 0; other < plan.steps.size(); ++other) {
    const auto& o = plan.steps[other];
    if (other != step && reads(o, 0)) return kAbsent;
    if (!reads(o, s.output)) continue;
    if (reader != kAbsent) return kAbsent;
    reader = other;
  }
  if (reader == kAbsent) return kAbsent;
  const auto& r = plan.steps[reader];
  const bool suits = scalar(r) && !adds_squares(r) && r.sources.size() == 1 && r.groups.size() == 1 &&
                     r.groups[0].rows <= kMostRows && r.limbs == s.limbs;
  return suits ? reader : kAbsent;
}

void mark_streams(ServerPlan& plan) {
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s)
    plan.steps[s].streamed = possible_reader(plan, s) != kAbsent;
}

std::uint32_t streamed_source(const ServerPlan& plan, std::uint32_t step) {
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s)
    if (plan.steps[s].streamed && reads(plan.steps[step], plan.steps[s].output)) return s;
  return kAbsent;
}

StreamShape shape_stream(const Step& first, const Step& second, std::size_t outputs, std::size_t n) {
  StreamShape shape;
  shape.columns = columns_of(outputs, n);
  const std::size_t most = most_pairs(first.polys, shape.columns);
  std::vector<bool> read;
  std::size_t pairs = 0;
  for (std::uint32_t g = 0; g < first.groups.size(); ++g) {
    const auto& group = first.groups[g];
    const auto fresh = [&] {
      return static_cast<std::size_t>(
          std::count_if(group.pairs.begin(), group.pairs.end(), [&](auto p) { return !read[p]; }));
    };
    if (shape.bands.empty() || pairs + fresh() > most) {
      shape.bands.emplace_back();
      read.assign(first.pairs.size(), false);
      pairs = 0;
    }
    pairs += fresh();
    for (const auto p : group.pairs) read[p] = true;
    shape.bands.back().groups.push_back(g);
  }
  for (auto& band : shape.bands) {
    const auto& group = first.groups[band.groups[0]];
    const auto all = pairs_of(first, band.groups);
    band.cuts = all > most ? cut_pairs(group.run_pairs, all, most) : std::vector<std::size_t>{0, all};
  }
  const auto& group = second.groups[0];
  shape.cuts = cut_pairs(group.run_pairs, group.pairs.size(), most_pairs(second.polys, shape.columns));
  return shape;
}

std::vector<Task> band_tasks(std::uint32_t step, const StreamShape& shape) {
  std::vector<Task> tasks;
  for (const auto& band : shape.bands)
    tasks.push_back({step, band.groups.front(), band.groups.back() + 1, {}});
  return tasks;
}

std::size_t streamed_words(std::size_t outputs, std::size_t columns) {
  return outputs * 2 * columns;
}

std::size_t stream_sums(const Step& first, const Step& second, const StreamShape& shape) {
  std::size_t rows = std::size_t{second.polys + 1u} * second.groups[0].rows;
  for (const auto& band : shape.bands)
    if (band.cuts.size() > 2)
      rows = std::max(rows, std::size_t{first.polys + 1u} * first.groups[band.groups[0]].rows);
  return rows * shape.columns;
}

std::size_t stream_words(const Step& first, const Step& second, std::size_t outputs, std::size_t n) {
  const auto shape = shape_stream(first, second, outputs, n);
  std::size_t panel = panel_words(second, shape.cuts, shape.columns);
  for (const auto& band : shape.bands) panel = std::max(panel, panel_words(first, band.cuts, shape.columns));
  return streamed_words(outputs, shape.columns) + stream_sums(first, second, shape) + panel;
}

std::size_t window_stride(std::size_t n) {
  return n + std::size_t{5} * 8;
}

std::uint64_t window_bytes(const Step& first, std::size_t n) {
  std::uint64_t inputs = 0;
  for (const auto& s : first.sources) inputs += s.elements.size();
  return inputs * 2 * window_stride(n) * 8;
}

}  // namespace velum::plan
