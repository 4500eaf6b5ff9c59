// Two steps as one, slice by slice: see plan/schedule/stream.h.
#pragma once

#include <functional>

#include "engine/input.h"
#include "engine/memory_pool.h"
#include "engine/prepared_step.h"
#include "engine/workers.h"

namespace velum::engine {

struct StreamSeconds {
  double input = 0;              // reading the window
  double first = 0, second = 0;  // of the two steps, a worker's time each
};

// Computes the outputs of `second` from those of `first`, which are made of the batch's inputs as they are
// read. `output(o)` gives the place of output o of `second`. `keep(o)`, where it is given, gives a place for
// output o of `first`, for probes. Parallel over slices of columns, one modulus after the other; the result
// does not depend on the number of threads or the slices' width.
StreamSeconds run_stream(const PreparedStep& first, const PreparedStep& second, std::size_t streamed,
                         const ckks::Parameters& params, const InputSource& input, MemoryPool& pool,
                         Workers& workers, const std::function<ckks::View(std::uint32_t o)>& output,
                         const std::function<ckks::View(std::uint32_t o)>& keep = {});

}  // namespace velum::engine
