// How much memory this process uses and may use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "system/host.h"

namespace velum {

std::uint64_t peak_rss_bytes();  // since start, or since the last reset
std::uint64_t current_rss_bytes();
// Gives the whole pages within back to the system; the contents are lost, the addresses stay valid.
void release_pages(std::span<std::byte> block);
// Gives what was allocated and is free again back to the system: after planning, whose hundreds of thousands
// of blocks the allocator would keep for itself.
void return_free_memory();
void reset_peak_rss();  // best effort (Linux: /proc/self/clear_refs)
// What the system could still give this process, the limits of its control groups included; nothing where the
// system does not say.
std::optional<std::uint64_t> available_memory_bytes(const HostFiles& host = {});

}  // namespace velum
