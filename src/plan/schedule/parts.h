// Parts of a task that have nothing in common: what the engine works on at a time, and the costs count by.
#pragma once

#include <span>
#include <vector>

#include "plan/plan.h"

namespace velum::plan {

// Columns of a slice that are worth a part of their own: a limb is then read in pieces of 1 KiB.
inline constexpr std::size_t kWideSlice = 128;

// The groups of a step that are worked on together, ascending.
using Part = std::vector<std::uint32_t>;

// Whether every output of the step is a sum of squares, each added or subtracted once: such steps need no
// digits.
bool adds_squares(const Step& step);

// The groups of a task, cut into parts that share no pair, where they are independent (the channels of a pool
// or of a depthwise convolution). Fewer pairs at a time leave room for wider slices: parts are as large as
// slices of kWideSlice columns allow, and as small as can be where the step adds squares. A task whose groups
// hang together is one part.
std::vector<Part> independent_parts(const Step& step, const Task& task, std::size_t n);

// How a part is computed: slice by slice of `columns`, and within a slice the inputs in turn, at most so many
// pairs at a time. One group of few rows and many inputs (a dense layer) is cut by its inputs, as its slices
// would be narrow else; its results are then added up.
struct Slicing {
  std::size_t columns = 0;
  std::vector<std::size_t>
      cuts;  // places in the group's pairs where a chunk begins, and their end; two: whole
  bool chunked() const { return cuts.size() > 2; }
};
Slicing slice_part(const Step& step, const Part& part, std::size_t pairs, std::size_t n);

// Places where a group's pairs are cut into chunks of at most `most`: a chunk is whole runs of `run` pairs,
// or lies within one, so that the bound on a run's weights holds for its runs.
std::vector<std::size_t> cut_pairs(std::size_t run, std::size_t pairs, std::size_t most);

// Words that a worker needs for it: the panel, residues of a pair, and the sums of a chunked part.
std::size_t slice_words(const Step& step, const Part& part, std::size_t pairs, std::size_t n);

// The parts of a task in batches: the results of a batch are relinearised and rescaled before the next is
// begun, so that no more than kUnfinishedBudget of them (or one part) wait at a time. One batch where nothing
// is to be finished.
inline constexpr std::uint64_t kUnfinishedBudget = 256u << 20;
std::vector<std::vector<Part>> finish_batches(const Step& step, const Task& task, std::size_t n);

// Bytes of the unfinished results of these parts.
std::uint64_t unfinished_bytes(const Step& step, std::span<const Part> parts, std::size_t n);

}  // namespace velum::plan
