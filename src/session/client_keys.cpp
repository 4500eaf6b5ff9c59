#include "session/client_keys.h"

#include <algorithm>
#include <vector>

#include "base/container.h"
#include "session/files.h"
#include "system/file.h"
#include "system/framed_file.h"

namespace velum::session {

namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 20;

// A file of another kind is told as such, before who may read it matters.
void check_head(const std::string& path) {
  const InputFile file(path);
  std::vector<std::uint8_t> head(std::min<std::uint64_t>(file.size(), kFrameHeadBytes));
  file.read_at(0, head);
  check_frame_head(head, file.size(), FileType::secret_key, path);
}

}  // namespace

void save_secret_key(const std::string& path, const ckks::SecretKey& key) {
  const auto file = key.to_file();
  write_file_atomically(path, std::span<const std::uint8_t>(file.span()), kOwnerOnly);
}

SecretBuffer<std::uint8_t> read_secret_key_file(const std::string& path) {
  finish_set_around(path);
  check_head(path);
  return read_secret_file(path, kMaxBytes);
}

ckks::SecretKey load_secret_key(const std::string& path, const ckks::Parameters& params) {
  const auto file = read_secret_key_file(path);
  return ckks::SecretKey::from_file(file.span(), params, path);
}

ckks::PublicKey load_public_key(const std::string& path, const ckks::Parameters& params) {
  finish_set_around(path);
  return ckks::PublicKey::from_file(read_framed_file(path, FileType::public_key), params, path);
}

}  // namespace velum::session
