#include "system/framed_file.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.h"
#include "system/file.h"

namespace velum {

namespace {

constexpr std::uint64_t kLarge = std::uint64_t{64} << 20;
constexpr std::size_t kPiece = std::size_t{1} << 20;

bool checksum_holds(const InputFile& file) {
  std::array<std::uint8_t, kFrameHashBytes> computed, stated;
  const auto end = file.size() - stated.size();
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, computed.size());
  std::vector<std::uint8_t> piece;
  for (std::uint64_t at = 0; at < end; at += piece.size()) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end - at)));
    file.read_at(at, piece);
    crypto_generichash_update(&state, piece.data(), piece.size());
  }
  crypto_generichash_final(&state, computed.data(), computed.size());
  file.read_at(end, stated);
  return computed == stated;
}

}  // namespace

std::vector<std::uint8_t> read_framed_file(const std::string& path, FileType type) {
  const InputFile file(path);
  std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(file.size(), kFrameHeadBytes));
  file.read_at(0, bytes);
  check_frame_head(bytes, file.size(), type, path);
  if (file.size() > kLarge && !checksum_holds(file))
    fail_user("{}: damaged: the checksum does not match its contents; copy the file again", path);
  bytes.resize(file.size());
  file.read_at(0, bytes);
  return bytes;
}

void require_same_kind(const std::string& option, const std::string& path, std::span<const FileType> writes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return;
  const InputFile file(path);
  std::array<std::uint8_t, 8> head{};
  if (file.size() < head.size()) return;
  file.read_at(0, head);
  const auto there = stated_type(head);
  if (!there || std::ranges::find(writes, *there) != writes.end()) return;
  if (there == FileType::secret_key)
    fail_user(
        "{} {}: holds a secret key, and what was encrypted under it can only be read with it; name another "
        "file",
        option, path);
  fail_user("{} {}: holds {}, which something of another kind would replace; name another file", option, path,
            type_name(*there));
}

}  // namespace velum
