#include "base/container.h"

#include <sodium.h>

#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"

namespace velum {

namespace {

constexpr std::array<char, 6> kMagic = {'V', 'E', 'L', 'U', 'M', '\0'};
constexpr std::size_t kHeader = 6 + 2 + 4 + 8, kHash = 32;

const char* type_name(std::uint16_t type) {
  switch (static_cast<FileType>(type)) {
    case FileType::client_plan: return "client plan";
    case FileType::server_plan: return "server plan";
    case FileType::secret_key: return "secret key";
    case FileType::evaluation_keys: return "evaluation keys";
    case FileType::input_batch: return "encrypted inputs";
    case FileType::output_batch: return "encrypted outputs";
    case FileType::public_key: return "public key";
  }
  return "unknown file type";
}

std::array<std::uint8_t, kHash> digest(std::span<const std::uint8_t> bytes) {
  std::array<std::uint8_t, kHash> h;
  crypto_generichash(h.data(), h.size(), bytes.data(), bytes.size(), nullptr, 0);
  return h;
}

}  // namespace

std::vector<std::uint8_t> wrap(FileType type, std::uint32_t version, std::span<const std::uint8_t> payload) {
  ByteWriter w;
  w.reserve(kHeader + payload.size() + kHash);  // growing would leave copies of a secret payload behind
  w.put_bytes(std::as_bytes(std::span(kMagic)));
  w.put(static_cast<std::uint16_t>(type));
  w.put(version);
  w.put<std::uint64_t>(payload.size());
  w.put_bytes(std::as_bytes(payload));
  const auto h = digest(w.bytes());
  w.put_bytes(std::as_bytes(std::span(h)));
  return w.take();
}

std::span<const std::uint8_t> unwrap(std::span<const std::uint8_t> file, FileType type, std::uint32_t version,
                                     const std::string& what) {
  ByteReader r(file, what);
  if (file.size() < kHeader + kHash)
    fail_user("{}: truncated: {} bytes, a Velum file has at least {}; copy the file again", what, file.size(), kHeader + kHash);
  if (std::memcmp(r.get_bytes(kMagic.size()).data(), kMagic.data(), kMagic.size()) != 0)
    fail_user("{}: not a Velum file ({} expected)", what, type_name(static_cast<std::uint16_t>(type)));
  const auto got_type = r.get<std::uint16_t>();
  if (got_type != static_cast<std::uint16_t>(type))
    fail_user("{}: this file holds {}, {} expected", what, type_name(got_type), type_name(static_cast<std::uint16_t>(type)));
  const auto got_version = r.get<std::uint32_t>();
  if (got_version != version)
    fail_user("{}: format version {}, this program reads version {}; make the file again with this version", what, got_version, version);
  const auto length = r.get<std::uint64_t>();
  const std::uint64_t present = file.size() - kHeader - kHash;
  if (length > present)
    fail_user("{}: truncated: a payload of {} bytes announced, {} present; copy the file again", what, length, present);
  if (length < present) fail_user("{}: oversized: {} bytes after the end of its contents", what, present - length);
  const auto payload = r.get_bytes(static_cast<std::size_t>(length));
  const auto h = digest(file.first(kHeader + payload.size()));
  if (sodium_memcmp(h.data(), r.get_bytes(kHash).data(), kHash) != 0)
    fail_user("{}: damaged: the checksum does not match its contents; copy the file again", what);
  return payload;
}

}  // namespace velum
