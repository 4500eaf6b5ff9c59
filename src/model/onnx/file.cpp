#include "model/onnx/file.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/error.h"
#include "system/file.h"

namespace velum::model {

namespace {

// As the encoding of protobuf has them: fields of (number << 3 | wire type), a varint, and by the type what
// follows.
enum WireType : unsigned { kVarint = 0, kEight = 1, kLength = 2, kFour = 5 };
constexpr std::uint64_t kGraphField = 7;

class Outline {
 public:
  explicit Outline(const InputFile& file) : file_(file) {}

  // Whether [begin, end) is a sequence of fields; that of `inner`, if not 0, is looked into.
  bool holds(std::uint64_t begin, std::uint64_t end, std::uint64_t inner) {
    for (std::uint64_t at = begin; at < end;) {
      std::uint64_t tag = 0, value = 0;
      if (!varint(at, end, tag) || tag >> 3 == 0) return false;
      switch (tag & 7) {
        case kVarint:
          if (!varint(at, end, value)) return false;
          break;
        case kEight:
          at += 8;
          break;
        case kFour:
          at += 4;
          break;
        case kLength:
          if (!varint(at, end, value) || value > end - at) return false;
          if (tag >> 3 == inner && !holds(at, at + value, 0)) return false;
          at += value;
          break;
        default:
          return false;
      }
      if (at > end) return false;
    }
    return true;
  }

 private:
  bool varint(std::uint64_t& at, std::uint64_t end, std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
      const auto byte = this->byte(at++);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  std::uint8_t byte(std::uint64_t at) {
    if (at < first_ || at >= first_ + filled_) {
      first_ = at;
      filled_ = static_cast<std::size_t>(std::min<std::uint64_t>(window_.size(), file_.size() - at));
      file_.read_at(at, std::span(window_).first(filled_));
    }
    return window_[static_cast<std::size_t>(at - first_)];
  }

  const InputFile& file_;
  std::array<std::uint8_t, 256> window_{};
  std::uint64_t first_ = 0;
  std::size_t filled_ = 0;
};

}  // namespace

std::vector<std::uint8_t> read_onnx_file(const std::string& path, std::optional<std::uint64_t> available) {
  const InputFile file(path);
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (file.size() > kMost)
    fail_user("{}: has {} bytes, an ONNX file has at most {}", path, file.size(), kMost);
  constexpr std::uint64_t kLarge = std::uint64_t{64} << 20;
  if (file.size() > kLarge && file.hole_bytes() > file.size() / 2)
    fail_user(
        "{}: {} of its {} bytes were never written (a hole): it was not copied whole; copy or export it "
        "again",
        path, file.hole_bytes(), file.size());
  if (file.size() == 0 || !Outline(file).holds(0, file.size(), kGraphField))
    fail_user("{}: is not an ONNX file ({} bytes), or was cut off: copy or export it again", path,
              file.size());
  if (available && 2 * file.size() > *available)
    fail_user("{}: {} bytes are needed to read it, {} are available; use a machine with more memory", path,
              2 * file.size(), *available);
  std::vector<std::uint8_t> bytes(file.size());
  file.read_at(0, bytes);
  return bytes;
}

}  // namespace velum::model
