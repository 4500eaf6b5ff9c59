#include "plan/choose/levels.h"

#include <algorithm>

namespace velum::plan {

// A stage of squares rescales; one that only reads the fresh input does not, its weights' scale joins the
// input's; one that reads plain vectors of a deeper level lifts them to the scale of squares and rescales.
// The last stage leaves its result as it is, over two moduli (with_small_result: divides it by the second),
// or over one if there is no square at all.
Levels assign_levels(const std::vector<PackedStage>& stages, bool rescale_first) {
  Levels levels;
  levels.rescale_first = rescale_first;
  const std::size_t vectors = stages.size() + 1;
  std::vector<std::uint32_t> dropped(vectors, 0), dropped_at(stages.size(), 0), squares(vectors, 0);
  levels.vector_degree.assign(vectors, 1);
  levels.stages.resize(stages.size());
  for (std::size_t i = 0; i < stages.size(); ++i) {
    auto& level = levels.stages[i];
    bool fresh = true;
    for (const auto& source : stages[i].sources) {
      dropped_at[i] = std::max(dropped_at[i], dropped[source.vector]);
      const bool square = source.kind == SourceKind::square;
      squares[i + 1] = std::max(squares[i + 1], squares[source.vector] + (square ? 1 : 0));
      level.degree = std::max(level.degree, square ? 2 : levels.vector_degree[source.vector]);
      fresh = fresh && source.vector == 0;
    }
    const bool last = i + 1 == stages.size();
    level.rescales = !last && stages[i].sum_steps == 0 && (level.degree == 2 || !fresh || rescale_first);
    dropped[i + 1] = dropped_at[i] + (level.rescales ? 1 : 0);
    if (!level.rescales) levels.vector_degree[i + 1] = level.degree;
  }
  levels.limbs = dropped.back() + (levels.stages.back().degree == 2 ? 2 : 1);
  levels.depth = squares.back();
  for (const auto d : dropped) levels.vector_limbs.push_back(levels.limbs - std::min(d, levels.limbs - 1));
  for (std::size_t i = 0; i < stages.size(); ++i) levels.stages[i].limbs = levels.limbs - dropped_at[i];
  return levels;
}

bool may_have_small_result(const std::vector<PackedStage>& stages, const Levels& levels) {
  const auto& last = levels.stages.back();
  return stages.back().sum_steps == 0 && last.degree == 2 && last.limbs == 2;
}

Levels with_small_result(Levels levels) {
  levels.small_result = true;
  levels.stages.back().rescales = true;
  levels.vector_limbs.back() = 1;
  levels.vector_degree.back() = 1;
  return levels;
}

}  // namespace velum::plan
