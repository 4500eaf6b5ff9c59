#include "base/container.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"

namespace velum {

namespace {

constexpr std::array<char, 6> kMagic = {'V', 'E', 'L', 'U', 'M', '\0'};
constexpr std::size_t kHeader = kFrameHeadBytes, kHash = kFrameHashBytes;

std::array<std::uint8_t, kHash> digest(std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, kHash> h;
  crypto_generichash(h.data(), h.size(), bytes.data(), bytes.size(), nullptr, 0);
  return h;
}

}  // namespace

const char* type_name(FileType type) {
  switch (type) {
    case FileType::client_plan:
      return "client plan";
    case FileType::server_plan:
      return "server plan";
    case FileType::secret_key:
      return "secret key";
    case FileType::evaluation_keys:
      return "evaluation keys";
    case FileType::input_batch:
      return "encrypted inputs";
    case FileType::output_batch:
      return "encrypted outputs";
    case FileType::public_key:
      return "public key";
    case FileType::public_batch:
      return "inputs encrypted with a public key";
  }
  return "unknown file type";
}

std::size_t framed_bytes(std::size_t payload) {
  return kHeader + payload + kHash;
}

void wrap_into(std::span<std::uint8_t> out, FileType type, std::uint32_t version,
               std::span<const std::uint8_t> payload) {
  if (out.size() != framed_bytes(payload.size()))
    fail("a frame of {} bytes where {} are needed", out.size(), framed_bytes(payload.size()));
  ByteWriter w;
  w.put_bytes(std::as_bytes(std::span(kMagic)));
  w.put(static_cast<std::uint16_t>(type));
  w.put(version);
  w.put<std::uint64_t>(payload.size());
  auto at = std::ranges::copy(w.bytes(), out.begin()).out;
  at = std::ranges::copy(payload, at).out;
  std::ranges::copy(digest(out.first(out.size() - kHash)), at);
}

std::vector<std::uint8_t> wrap(FileType type, std::uint32_t version, std::span<const std::uint8_t> payload) {
  std::vector<std::uint8_t> out(framed_bytes(payload.size()));
  wrap_into(out, type, version, payload);
  return out;
}

void check_frame_head(std::span<const std::uint8_t> head, std::uint64_t file_bytes, FileType type,
                      const std::string& what) {
  ByteReader r(head, what);
  if (file_bytes < kHeader + kHash)
    fail_user("{}: truncated: {} bytes, a Velum file has at least {}; copy the file again", what, file_bytes,
              kHeader + kHash);
  if (std::memcmp(r.get_bytes(kMagic.size()).data(), kMagic.data(), kMagic.size()) != 0)
    fail_user("{}: not a Velum file ({} expected)", what, type_name(type));
  const auto got_type = static_cast<FileType>(r.get<std::uint16_t>());
  if (got_type != type)
    fail_user("{}: this file holds {}, {} expected", what, type_name(got_type), type_name(type));
  r.get<std::uint32_t>();  // the version
  const auto length = r.get<std::uint64_t>();
  const std::uint64_t present = file_bytes - kHeader - kHash;
  if (length > present)
    fail_user("{}: truncated: a payload of {} bytes announced, {} present; copy the file again", what, length,
              present);
  if (length < present)
    fail_user("{}: oversized: {} bytes after the end of its contents", what, present - length);
}

std::span<const std::uint8_t> unwrap(std::span<const std::uint8_t> file, FileType type, std::uint32_t version,
                                     const std::string& what) {
  check_frame_head(file, file.size(), type, what);
  ByteReader r(file, what);
  r.get_bytes(kMagic.size() + 2);
  const auto got_version = r.get<std::uint32_t>();
  if (got_version < version)
    fail_user("{}: made by an older Velum; plan again (format version {}, this program reads version {})",
              what, got_version, version);
  if (got_version > version)
    fail_user("{}: made by a newer Velum (format version {}, this program reads version {}); use that one",
              what, got_version, version);
  const auto payload = r.get_bytes(static_cast<std::size_t>(r.get<std::uint64_t>()));
  const auto h = digest(file.first(kHeader + payload.size()));
  if (sodium_memcmp(h.data(), r.get_bytes(kHash).data(), kHash) != 0)
    fail_user("{}: damaged: the checksum does not match its contents; copy the file again", what);
  return payload;
}

std::optional<FileType> stated_type(std::span<const std::uint8_t> head) {
  if (head.size() < kMagic.size() + 2 || std::memcmp(head.data(), kMagic.data(), kMagic.size()) != 0)
    return {};
  return static_cast<FileType>(head[6] | head[7] << 8);
}

}  // namespace velum
