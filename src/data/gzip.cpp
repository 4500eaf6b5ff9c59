#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace velum::data {

struct Inflater::State {
  ByteSource packed;
  std::string what;
  Deflate format = Deflate::gzip;
  z_stream z{};
  std::vector<std::uint8_t> piece;  // of the packed bytes
  std::uint64_t fetched = 0;        // packed bytes given to zlib so far
  std::uint64_t made = 0;           // bytes read
  uLong crc = 0;
  bool ended = false;

  static constexpr std::size_t kPiece = std::size_t{1} << 20;

  // Sees to it that zlib has input, where there is more.
  void fetch() {
    if (z.avail_in > 0) return;
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, packed.size - fetched)));
    packed.read_at(fetched, piece);
    fetched += piece.size();
    z.next_in = piece.data();
    z.avail_in = static_cast<uInt>(piece.size());
  }
  // At the end of a gzip member: whether another one follows. Anything else that does is refused.
  bool begin_next_member() {
    fetch();
    if (z.avail_in == 0) return false;
    if (format != Deflate::gzip || z.next_in[0] != 0x1f) refuse_rest();
    if (inflateReset(&z) != Z_OK) fail("{}: out of memory while inflating", what);
    return true;
  }
  [[noreturn]] void refuse_rest() const {
    fail_user("{}: damaged: {} bytes follow the end of the compressed data; copy the file again", what,
              packed.size - fetched + z.avail_in);
  }
};

Inflater::Inflater(ByteSource packed, Deflate format, std::string what) : state_(std::make_unique<State>()) {
  state_->packed = std::move(packed);
  state_->what = std::move(what);
  state_->format = format;
  if (inflateInit2(&state_->z, format == Deflate::gzip ? 16 + MAX_WBITS : -MAX_WBITS) != Z_OK)
    fail("{}: out of memory while inflating", state_->what);
}

Inflater::~Inflater() {
  inflateEnd(&state_->z);
}

std::size_t Inflater::read(std::span<std::uint8_t> out) {
  auto& s = *state_;
  std::size_t done = 0;
  while (done < out.size() && !s.ended) {
    s.fetch();
    const auto room = std::min<std::size_t>(out.size() - done, std::size_t{1} << 30);
    s.z.next_out = out.data() + done;
    s.z.avail_out = static_cast<uInt>(room);
    const bool starved = s.z.avail_in == 0;
    const int status = inflate(&s.z, Z_NO_FLUSH);
    const auto made = room - s.z.avail_out;
    done += made;
    if (status == Z_STREAM_END) {
      s.ended = !s.begin_next_member();
    } else if (status == Z_MEM_ERROR) {
      fail("{}: out of memory while inflating", s.what);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail_user("{}: damaged: the compressed data is invalid ({}); copy the file again", s.what,
                s.z.msg ? s.z.msg : "no detail");
    } else if (made == 0 && starved) {
      break;  // the input ended before the stream did
    }
  }
  s.crc = crc32_z(s.crc, out.data(), done);
  s.made += done;
  return done;
}

void Inflater::read_all(std::span<std::uint8_t> out, std::uint64_t announced) {
  if (read(out) < out.size())
    fail_user("{}: truncated: {} bytes after inflation, {} expected; copy the file again", state_->what,
              state_->made, announced);
}

void Inflater::expect_end(std::uint64_t announced) {
  std::uint8_t beyond = 0;
  if (read({&beyond, 1}) == 1)
    fail_user("{}: oversized: more than the {} bytes that its header announces", state_->what, announced);
  if (!state_->ended)
    fail_user("{}: truncated: the compressed data breaks off; copy the file again", state_->what);
}

std::uint32_t Inflater::crc() const {
  return static_cast<std::uint32_t>(state_->crc);
}

bool is_gzip(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

void check_inflated_size(std::uint64_t inflated, std::uint64_t packed, const std::string& what) {
  if (inflated / 1032 > packed)
    fail_user("{}: damaged: {} bytes announced, {} compressed bytes cannot hold them", what, inflated,
              packed);
}

}  // namespace velum::data
