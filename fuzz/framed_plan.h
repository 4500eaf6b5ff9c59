// Plans carry a checksum, the digest of their server half and the hash of their public half, none of which a
// fuzzer can guess. So its inputs are "u16 bytes of the public half | public half | the rest", and the target
// puts them in.
#pragma once

#include <sodium.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/container.h"
#include "fuzz.h"

namespace velum::fuzz {

inline constexpr std::size_t kPlanId = 32 + 16;  // the digest, the id
inline constexpr std::uint32_t kPlanVersion = 5;

inline std::vector<std::uint8_t> frame_plan(FileType type, Bytes input) {
  ByteWriter payload;
  if (input.size() >= 2) {
    const std::size_t announced = input[0] | std::size_t{input[1]} << 8;
    input = input.subspan(2);
    const auto half = input.first(std::min(announced, input.size()));
    const auto rest = input.subspan(half.size());
    std::array<std::uint8_t, 32> digest;
    std::array<std::uint8_t, 16> id;
    crypto_generichash(digest.data(), digest.size(), rest.data(), rest.size(), nullptr, 0);
    payload.put_bytes(std::as_bytes(half));
    payload.put_bytes(std::as_bytes(std::span(digest)));
    crypto_generichash(id.data(), id.size(), payload.bytes().data(), payload.size(), nullptr, 0);
    payload.put_bytes(std::as_bytes(std::span(id)));
    payload.put_bytes(std::as_bytes(rest));
  }
  return wrap(type, kPlanVersion, payload.bytes());
}

// The inverse, for seeds; `public_bytes` without digest and id.
inline std::vector<std::uint8_t> unframe_plan(FileType type, Bytes file, std::size_t public_bytes) {
  const auto payload = unwrap(file, type, kPlanVersion, "plan");
  ByteWriter out;
  out.put(static_cast<std::uint16_t>(public_bytes));
  out.put_bytes(std::as_bytes(payload.first(public_bytes)));
  out.put_bytes(std::as_bytes(payload.subspan(public_bytes + kPlanId)));
  return out.take();
}

}  // namespace velum::fuzz
