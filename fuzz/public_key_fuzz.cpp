#include <algorithm>

#include "base/bytes.h"
#include "ckks/client/client.h"
#include "fuzz.h"
#include "tiny_parameters.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  const fuzz::Bytes bytes(data, size);
  const auto& params = fuzz::tiny_parameters();
  fuzz::read_or_refuse([&] {
    ByteReader in(bytes, "file");
    const auto key = ckks::PublicKey::read(in, params);
    fuzz::require(std::ranges::equal(key.write(params), bytes), "one payload for one key");
  });
  return 0;
}
