// Stores past the caches, of kernels::digit_product.
#pragma once

#include <atomic>

namespace velum::engine {

// Other threads see such stores in order after a fence only. g++ refuses fences under the thread sanitizer,
// where the loop's own counter has to do.
inline void order_stores() {
#ifndef __SANITIZE_THREAD__
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace velum::engine
