// Tags of several records at once: hashes of a chain each, which wait for one another, side by side.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>

namespace velum::engine {

inline constexpr std::size_t kRecordTagBytes = 16;
using RecordTag = std::array<std::uint8_t, kRecordTagBytes>;

// Bytes [begin, begin + out.size()) of message k.
using MessagePart = std::function<void(std::size_t k, std::size_t begin, std::span<std::uint8_t> out)>;

// BLAKE2b, 16 bytes long and without a key, of tags.size() messages of `bytes` bytes each, one or more. Asks
// for each message once, in parts from its beginning on, the first of which has `bytes` or 16384 bytes.
void hash_messages(std::span<RecordTag> tags, std::size_t bytes, const MessagePart& part);

}  // namespace velum::engine
