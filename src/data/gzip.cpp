#include "data/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "base/error.h"

namespace velum::data {

namespace {

// Owns a z_stream over `bytes`; zlib counts in 32 bits, so input and output are fed in pieces.
class Inflater {
 public:
  Inflater(std::span<const std::uint8_t> bytes, Deflate format, const std::string& what)
      : in_(bytes), what_(what) {
    if (inflateInit2(&z_, format == Deflate::gzip ? 16 + MAX_WBITS : -MAX_WBITS) != Z_OK)
      fail("{}: out of memory while inflating", what_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&z_); }

  // Fills as much of `out` as there is; returns the number of bytes.
  std::size_t read(std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      if (z_.avail_in == 0) {
        const auto piece = std::min<std::size_t>(in_.size(), kPiece);
        z_.next_in = const_cast<Bytef*>(in_.data());
        z_.avail_in = static_cast<uInt>(piece);
        in_ = in_.subspan(piece);
      }
      const auto room = std::min<std::size_t>(out.size() - done, kPiece);
      z_.next_out = out.data() + done;
      z_.avail_out = static_cast<uInt>(room);
      const auto before_in = z_.avail_in;
      const int status = inflate(&z_, Z_NO_FLUSH);
      const auto made = room - z_.avail_out;
      done += made;
      if (status == Z_STREAM_END) {
        ended_ = true;
      } else if (status == Z_MEM_ERROR) {
        fail("{}: out of memory while inflating", what_);
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        fail_user("{}: damaged: the compressed data is invalid ({}); copy the file again", what_,
                  z_.msg ? z_.msg : "no detail");
      } else if (made == 0 && z_.avail_in == before_in && in_.empty()) {
        break;  // the input ended before the stream did
      }
    }
    return done;
  }
  // Whether the end of the stream (and, for gzip, its checksum) was seen.
  bool ended() const { return ended_; }
  // Whether another byte comes after those read so far.
  bool more() {
    std::uint8_t beyond = 0;
    return read({&beyond, 1}) == 1;
  }

 private:
  static constexpr std::size_t kPiece = std::size_t{1} << 30;
  z_stream z_{};
  std::span<const std::uint8_t> in_;
  const std::string& what_;
  bool ended_ = false;
};

}  // namespace

bool is_gzip(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

std::vector<std::uint8_t> inflate_begin(std::span<const std::uint8_t> bytes, Deflate format,
                                        std::size_t limit, const std::string& what) {
  Inflater inflater(bytes, format, what);
  std::vector<std::uint8_t> out(limit);
  out.resize(inflater.read(out));
  return out;
}

std::vector<std::uint8_t> inflate_all(std::span<const std::uint8_t> bytes, Deflate format, std::size_t size,
                                      const std::string& what) {
  // Deflate shrinks at most 1032 to 1: a size beyond that is a lie, found before memory is taken for it.
  if (size / 1032 > bytes.size())
    fail_user("{}: damaged: {} bytes announced, {} compressed bytes cannot hold them", what, size,
              bytes.size());
  Inflater inflater(bytes, format, what);
  std::vector<std::uint8_t> out(size);
  const auto got = inflater.read(out);
  if (got < size)
    fail_user("{}: truncated: {} bytes after inflation, {} expected; copy the file again", what, got, size);
  if (inflater.more())
    fail_user("{}: oversized: more than the {} bytes that its header announces", what, size);
  if (!inflater.ended())
    fail_user("{}: truncated: the compressed data breaks off; copy the file again", what);
  return out;
}

}  // namespace velum::data
