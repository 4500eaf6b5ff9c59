// Parallel loops over all cores. Bodies must write disjoint data; the result may not depend on the thread count.
#pragma once

#include <cstddef>
#include <functional>

namespace velum {

// 0 means all cores this process may use. Takes effect for the loops that follow.
void set_threads(int threads);
int threads();

// body(i, worker) for i in [0, count), in any order, worker in [0, threads()). An exception in a body stops the
// loop and is rethrown here. Not to be nested.
void parallel_for(std::size_t count, const std::function<void(std::size_t i, int worker)>& body);

}  // namespace velum
