// Where the ciphertexts of a run live: a block of memory each, taken when the element's row is first written
// or read from the input, given back when the schedule releases the row.
#pragma once

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "ckks/core/ciphertext.h"
#include "engine/memory_pool.h"
#include "plan/plan.h"

namespace velum::engine {

using ckks::u64;

class ValueStore {
 public:
  // Both must outlive it; what is still held goes back to the pool at the end.
  ValueStore(const plan::ServerPlan& plan, std::size_t n, MemoryPool& pool);
  ValueStore(const ValueStore&) = delete;
  ValueStore& operator=(const ValueStore&) = delete;

  // Makes sure the rows that hold elements [begin, end) of a value have memory; the contents of new rows are
  // undefined. Not thread-safe.
  void hold(std::uint32_t value, std::uint32_t begin, std::uint32_t end);
  bool holds_row(std::uint32_t value, std::uint32_t row) const {
    return static_cast<bool>(blocks_[value][plan_.values[value].row_begin[row]]);
  }
  void release(const plan::Release& r);

  // The element's ciphertext; its row must be held.
  ckks::View element(std::uint32_t value, std::uint32_t e);
  std::uint32_t row_of(std::uint32_t value, std::uint32_t e) const { return row_of_[value][e]; }

 private:
  const plan::ServerPlan& plan_;
  std::size_t n_;
  MemoryPool& pool_;
  std::vector<std::vector<PoolBlock>> blocks_;      // [value][element], empty where not held
  std::vector<std::vector<std::uint32_t>> row_of_;  // [value][element]
};

}  // namespace velum::engine
