#include "system/framed_file.h"

#include <sodium.h>

#include <algorithm>
#include <array>

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

}  // namespace velum
