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
    const auto key = ckks::SecretKey::read(in, params);
    const auto again = key.write();
    fuzz::require(std::ranges::equal(again.span(), bytes), "one payload for one key");
  });
  return 0;
}
