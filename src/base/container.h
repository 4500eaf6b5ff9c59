// The common frame of every file of Velum: magic, type, version, length, checksum.
//
//   "VELUM\0" | u16 type | u32 version | u64 payload bytes | payload | 32 bytes BLAKE2b of all before it
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace velum {

enum class FileType : std::uint16_t {
  client_plan = 1,
  server_plan = 2,
  secret_key = 3,
  evaluation_keys = 4,
  input_batch = 5,    // encrypted inputs: framed header, then fixed-size records (see data formats)
  output_batch = 6,
  public_key = 7,
};

std::vector<std::uint8_t> wrap(FileType type, std::uint32_t version, std::span<const std::uint8_t> payload);
// The payload; refuses a wrong magic, type (naming both), version, length or checksum. `what` names the file.
std::span<const std::uint8_t> unwrap(std::span<const std::uint8_t> file, FileType type, std::uint32_t version,
                                     const std::string& what);

}  // namespace velum
