#include "base/container.h"

#include <algorithm>

#include "base/bytes.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  const fuzz::Bytes bytes(data, size);
  fuzz::read_or_refuse([&] {
    const auto payload = unwrap(bytes, FileType::client_plan, 1, "file");
    const auto again = wrap(FileType::client_plan, 1, payload);
    fuzz::require(std::ranges::equal(again, bytes), "one frame for one payload");
  });
  // The fields inside: lengths, strings and arrays of whatever the bytes say.
  fuzz::read_or_refuse([&] {
    ByteReader in(bytes, "file");
    while (in.remaining()) switch (in.get<std::uint8_t>() % 4) {
        case 0:
          in.get<std::uint64_t>();
          break;
        case 1:
          in.get_string(1000);
          break;
        case 2:
          in.get_array<std::uint64_t>(std::uint64_t{1} << 62);
          break;
        default:
          in.expect_end();
      }
  });
  return 0;
}
