#include "base/bytes.h"

#include "base/error.h"

namespace velum {

const std::uint8_t* ByteReader::take(std::size_t n) {
  if (n > remaining())
    fail_user("{}: truncated: {} bytes needed at offset {}, {} left; copy the file again", what_, n, pos_,
              remaining());
  const auto* p = in_.data() + pos_;
  pos_ += n;
  return p;
}

std::size_t ByteReader::count(std::uint64_t max_count, std::size_t item_bytes) {
  const auto n = get<std::uint64_t>();
  if (n > max_count)
    fail_user("{}: corrupt: a count of {} at offset {}, at most {} possible", what_, n, pos_ - 8, max_count);
  if (n > remaining() / item_bytes)
    fail_user(
        "{}: truncated: {} items of {} bytes announced at offset {}, {} bytes left; copy the file again",
        what_, n, item_bytes, pos_ - 8, remaining());
  return static_cast<std::size_t>(n);
}

void ByteReader::expect_end() const {
  if (remaining()) fail_user("{}: oversized: {} bytes after the end of its contents", what_, remaining());
}

}  // namespace velum
