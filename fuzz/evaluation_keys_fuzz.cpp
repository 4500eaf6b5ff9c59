// The bytes are a payload: the frame around it has a checksum, which a fuzzer cannot guess.
#include <algorithm>

#include "base/bytes.h"
#include "ckks/core/keys.h"
#include "fuzz.h"
#include "tiny_parameters.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  const fuzz::Bytes bytes(data, size);
  const auto& params = fuzz::tiny_parameters();
  fuzz::read_or_refuse([&] {
    ByteReader in(bytes, "file");
    const auto keys = ckks::EvaluationKeys::read(in, params);
    fuzz::require(std::ranges::equal(keys.write(params), bytes), "one payload for one set of keys");
  });
  return 0;
}
