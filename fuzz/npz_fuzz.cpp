#include "data/npz.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  fuzz::read_or_refuse([&] {
    for (const auto& member : data::list_zip(data::source_of({data, size}), "file")) {
      const auto bytes = data::unpack_npy(member, "file");
      fuzz::require(bytes.size() == member.size, "the announced size");
      data::read_npy_header(data::source_of(bytes), "file");
    }
  });
  return 0;
}
