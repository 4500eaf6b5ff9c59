// The common frame of every file of Velum: magic, type, version, length, checksum.
//
//   "VELUM\0" | u16 type | u32 version | u64 payload bytes | payload | 32 bytes BLAKE2b of all before it
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace velum {

enum class FileType : std::uint16_t {
  client_plan = 1,
  server_plan = 2,
  secret_key = 3,
  evaluation_keys = 4,
  input_batch = 5,  // encrypted inputs: framed header, then fixed-size records (see data formats)
  output_batch = 6,
  public_key = 7,
  public_batch = 8,  // encrypted inputs as well, with a public key: records of two whole polynomials
};

std::vector<std::uint8_t> wrap(FileType type, std::uint32_t version, std::span<const std::uint8_t> payload);
// The same into `out`, of framed_bytes(payload.size()) bytes: for a secret, in memory of its own.
void wrap_into(std::span<std::uint8_t> out, FileType type, std::uint32_t version,
               std::span<const std::uint8_t> payload);
std::size_t framed_bytes(std::size_t payload);
// The payload; refuses a wrong magic, type (naming both), version, length or checksum. `what` names the file.
std::span<const std::uint8_t> unwrap(std::span<const std::uint8_t> file, FileType type, std::uint32_t version,
                                     const std::string& what);

inline constexpr std::size_t kFrameHeadBytes = 6 + 2 + 4 + 8, kFrameHashBytes = 32;
// What can be said of a file of `file_bytes` by its first kFrameHeadBytes (fewer where it has fewer): refuses
// another magic or type, and another length than it announces. The version is left to `unwrap`.
void check_frame_head(std::span<const std::uint8_t> head, std::uint64_t file_bytes, FileType type,
                      const std::string& what);
// What a file that begins with `head` says that it is, known or not; nothing where it is none of Velum's.
std::optional<FileType> stated_type(std::span<const std::uint8_t> head);
const char* type_name(FileType type);

}  // namespace velum
