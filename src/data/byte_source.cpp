#include "data/byte_source.h"

#include <cstring>
#include <memory>

#include "base/error.h"
#include "system/file.h"

namespace velum::data {

ByteSource open_source(const std::string& path) {
  const auto file = std::make_shared<InputFile>(path);
  return {file->size(), [file](std::uint64_t offset, std::span<std::uint8_t> out) {
            if (!out.empty()) file->read_at(offset, out);
          }};
}

ByteSource source_of(std::span<const std::uint8_t> bytes) {
  return {bytes.size(), [bytes](std::uint64_t offset, std::span<std::uint8_t> out) {
            if (!out.empty()) std::memcpy(out.data(), bytes.data() + offset, out.size());
          }};
}

ByteSource part_of(const ByteSource& whole, std::uint64_t offset, std::uint64_t size) {
  return {size, [read = whole.read_at, offset](std::uint64_t at, std::span<std::uint8_t> out) {
            read(offset + at, out);
          }};
}

ReadNext read_from(const ByteSource& source, std::uint64_t offset, const std::string& what) {
  return [source, what, at = offset](std::span<std::uint8_t> out) mutable {
    if (at > source.size || out.size() > source.size - at)
      fail_user("{}: truncated: {} bytes, {} expected; copy the file again", what, source.size,
                at + out.size());
    source.read_at(at, out);
    at += out.size();
  };
}

}  // namespace velum::data
