// Streams: an affine step of the fresh input whose outputs one dense step alone reads is never computed as a
// whole. Slices of columns of all its outputs are made in a worker's cache, read there by the dense step, and
// forgotten: no ciphertext of theirs is ever in memory. Both steps act on each residue by itself, so the
// moduli are taken one after the other, and of the inputs the limb of one modulus alone is in memory.
#pragma once

#include "plan/schedule/parts.h"

namespace velum::plan {

// The dense step that may read this step's outputs as they are made, as an index into plan.steps; kAbsent
// where none may. Such a step is affine, of scalar weights, reads nothing but the input, which nothing else
// reads, and leaves its sums as they are; its reader reads nothing else, and is one group of few rows.
std::uint32_t possible_reader(const ServerPlan& plan, std::uint32_t step);

// Marks the steps that are streamed: all that may be.
void mark_streams(ServerPlan& plan);

// The streamed step whose outputs this step reads; kAbsent where it reads values that are held.
std::uint32_t streamed_source(const ServerPlan& plan, std::uint32_t step);

// Groups of the streamed step that are computed together, from panels that are filled once.
struct Band {
  Part groups;
  std::vector<std::size_t> cuts;  // as Slicing::cuts, of a band of one group
};
struct StreamShape {
  std::size_t columns = 0;
  std::vector<Band> bands;
  std::vector<std::size_t> cuts;  // of the reader's pairs
};
StreamShape shape_stream(const Step& first, const Step& second, std::size_t outputs, std::size_t n);

// The bands as tasks, for their cost.
std::vector<Task> band_tasks(std::uint32_t step, const StreamShape& shape);

// Words of a worker: the streamed step's outputs over a slice, then sums of the groups that are cut, then
// residues of a pair and a panel, of either step.
std::size_t streamed_words(std::size_t outputs, std::size_t columns);
std::size_t stream_sums(const Step& first, const Step& second, const StreamShape& shape);
std::size_t stream_words(const Step& first, const Step& second, std::size_t outputs, std::size_t n);

// The window: a limb of both polynomials of every input that the step reads, polynomials apart from each
// other by an odd number of cache lines.
std::size_t window_stride(std::size_t n);
std::uint64_t window_bytes(const Step& first, std::size_t n);

}  // namespace velum::plan
