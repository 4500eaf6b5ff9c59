#include "data/idx.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  for (const std::size_t rank : {1u, 3u})
    fuzz::read_or_refuse([&] {
      const auto array = data::read_idx(data::source_of({data, size}), rank, "file");
      std::size_t count = 1;
      for (const auto extent : array.shape) count *= extent;
      fuzz::require(array.shape.size() == rank && count == array.values.size(),
                    "as many values as the shape says");
    });
  return 0;
}
