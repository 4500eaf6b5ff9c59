#include "engine/record_tags.h"

#include <algorithm>
#include <cstring>

#include "base/aligned_buffer.h"
#include "kernels/table.h"

namespace velum::engine {

namespace {

using kernels::kHashBlock, kernels::kHashLanes, kernels::u64;

// Of each message at a time: all of them stay in the second-level cache. Their distance in memory is no power
// of two, which would crowd them into a few sets of the first-level one.
constexpr std::size_t kPart = 16384, kStride = kPart + 3 * 64;

void hash_lanes(std::span<RecordTag> tags, std::size_t first, std::size_t bytes, const MessagePart& part,
                std::uint8_t* memory) {
  alignas(64) u64 state[8 * kHashLanes];
  for (std::size_t k = 0; k < 8; ++k)
    std::fill_n(state + k * kHashLanes, kHashLanes,
                kernels::kHashStart[k] ^ (k == 0 ? u64{0x01010000} ^ kRecordTagBytes : u64{0}));
  const std::uint8_t* lanes[kHashLanes];
  for (std::size_t i = 0; i < kHashLanes; ++i) lanes[i] = memory + (i < tags.size() ? i : 0) * kStride;
  for (std::size_t at = 0; at < bytes; at += kPart) {
    const std::size_t length = std::min(kPart, bytes - at);
    const bool ends = at + length == bytes;
    for (std::size_t i = 0; i < tags.size(); ++i) part(first + i, at, {memory + i * kStride, length});
    const std::size_t blocks = ends ? (length - 1) / kHashBlock : length / kHashBlock;
    kernels::table().hash_blocks(state, lanes, blocks, at + kHashBlock, false);
    if (!ends) continue;
    for (std::size_t i = 0; i < tags.size(); ++i)  // zeros after the message's end
      std::fill_n(memory + i * kStride + length, (blocks + 1) * kHashBlock - length, std::uint8_t{0});
    for (auto& lane : lanes) lane += blocks * kHashBlock;
    kernels::table().hash_blocks(state, lanes, 1, bytes, true);
  }
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const u64 words[2] = {state[i], state[kHashLanes + i]};
    std::memcpy(tags[i].data(), words, sizeof words);
  }
}

}  // namespace

void hash_messages(std::span<RecordTag> tags, std::size_t bytes, const MessagePart& part) {
  AlignedBuffer<std::uint8_t> memory(std::min(tags.size(), kHashLanes) * kStride);
  for (std::size_t first = 0; first < tags.size(); first += kHashLanes)
    hash_lanes(tags.subspan(first, std::min(kHashLanes, tags.size() - first)), first, bytes, part,
               memory.data());
}

}  // namespace velum::engine
