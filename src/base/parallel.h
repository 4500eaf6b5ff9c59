// Parallel loops over all cores. Bodies must write disjoint data; the result may not depend on the thread
// count.
#pragma once

#include <cstddef>
#include <functional>

namespace velum {

// What a computation that this thread begins takes where nobody says how many threads; 0 means all cores this
// process may use. Each thread has a number of its own, so that two computations side by side do not tell
// each other. Whoever has something for each worker asks once, and passes the number on.
void use_threads(int threads);
int threads();

// So many until it dies; then what was before. Stays in the thread that made it.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;
  ~ThreadScope();

 private:
  int before_;
};

// body(i, worker) for i in [0, count), in any order, worker in [0, team). An exception in a body stops the
// loop and is rethrown here. Not to be nested.
void parallel_for(std::size_t count, int team, const std::function<void(std::size_t i, int worker)>& body);
// With a team of threads(), for bodies that keep nothing by worker.
void parallel_for(std::size_t count, const std::function<void(std::size_t i, int worker)>& body);

}  // namespace velum
