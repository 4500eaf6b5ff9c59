#include "data/npz.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "data/memory_check.h"

namespace velum::data {

namespace {

constexpr std::uint32_t kEndMark = 0x06054b50, kEntryMark = 0x02014b50, kLocalMark = 0x04034b50;
constexpr std::uint32_t kEnd64Mark = 0x06064b50, kLocator64Mark = 0x07064b50;
constexpr std::size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30, kEnd64Size = 56, kLocator64Size = 20;
constexpr std::uint64_t kMaxDirectory = std::uint64_t{64} << 20;
// A field of 32 bits that says so stands in the entry's zip64 block.
constexpr std::uint64_t kElsewhere = 0xffffffffu;

using Bytes = std::vector<std::uint8_t>;

template <typename T>
T field(std::span<const std::uint8_t> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

Bytes bytes_at(const ByteSource& file, std::uint64_t offset, std::uint64_t size) {
  Bytes bytes(static_cast<std::size_t>(size));
  file.read_at(offset, bytes);
  return bytes;
}

struct Directory {
  std::uint64_t entries = 0, offset = 0, size = 0;
};

// The end record is last but for a comment of at most 65,535 bytes, whose length it gives.
Directory find_directory(const ByteSource& file, const std::string& what) {
  const auto tail_size = std::min<std::uint64_t>(file.size, kEndSize + 65535);
  const auto tail = bytes_at(file, file.size - tail_size, tail_size);
  std::uint64_t beyond = 0;  // bytes behind an end record and its comment
  for (auto at = tail.size() + 1; at-- > kEndSize;) {
    const auto begin = at - kEndSize;
    const auto end = std::span(tail).subspan(begin);
    if (field<std::uint32_t>(end, 0) != kEndMark) continue;
    const auto whole = kEndSize + field<std::uint16_t>(end, 20);
    if (whole != end.size()) {  // a mark within a comment, or bytes behind the archive
      if (whole < end.size()) beyond = end.size() - whole;
      continue;
    }
    Directory d{field<std::uint16_t>(end, 10), field<std::uint32_t>(end, 16), field<std::uint32_t>(end, 12)};
    const auto place = file.size - tail_size + begin;  // of the end record in the file
    if (place >= kLocator64Size) {
      const auto locator = bytes_at(file, place - kLocator64Size, kLocator64Size);
      if (field<std::uint32_t>(locator, 0) == kLocator64Mark) {
        const auto end64 = field<std::uint64_t>(locator, 8);
        if (end64 > place || place - end64 < kEnd64Size)
          fail_user("{}: damaged: its zip64 directory lies outside the file; copy the file again", what);
        const auto record = bytes_at(file, end64, kEnd64Size);
        if (field<std::uint32_t>(record, 0) != kEnd64Mark)
          fail_user("{}: damaged: no zip64 directory at offset {}; copy the file again", what, end64);
        d = {field<std::uint64_t>(record, 32), field<std::uint64_t>(record, 48),
             field<std::uint64_t>(record, 40)};
      }
    }
    if (d.offset > place || d.size > place - d.offset || d.size > kMaxDirectory)
      fail_user("{}: damaged: its zip directory lies outside the file; copy the file again", what);
    return d;
  }
  if (beyond > 0)
    fail_user("{}: damaged: {} bytes follow the end of the archive; copy the file again", what, beyond);
  fail_user("{}: not a NumPy archive, or truncated: it has no zip directory at its end", what);
}

// Sizes and offset of an entry, from its zip64 block where the plain fields say so.
struct Extent {
  std::uint64_t size = 0, packed = 0, offset = 0;
};

Extent extent_of(std::span<const std::uint8_t> entry, std::size_t name_size, std::size_t extra_size,
                 const std::string& what) {
  Extent e{field<std::uint32_t>(entry, 24), field<std::uint32_t>(entry, 20), field<std::uint32_t>(entry, 42)};
  auto extra = entry.subspan(kEntrySize + name_size, extra_size);
  while (extra.size() >= 4) {
    const auto kind = field<std::uint16_t>(extra, 0);
    const auto size = std::min<std::size_t>(field<std::uint16_t>(extra, 2), extra.size() - 4);
    auto block = extra.subspan(4, size);
    if (kind == 1)
      for (auto* value : {&e.size, &e.packed, &e.offset}) {
        if (*value != kElsewhere) continue;
        if (block.size() < 8)
          fail_user("{}: damaged: its zip64 sizes are cut off; copy the file again", what);
        *value = field<std::uint64_t>(block, 0);
        block = block.subspan(8);
      }
    extra = extra.subspan(4 + size);
  }
  return e;
}

// The packed bytes of an entry, behind a local header of its own.
ByteSource packed_bytes(const ByteSource& file, const Extent& e, const std::string& what) {
  if (e.offset > file.size || file.size - e.offset < kLocalSize)
    fail_user("{}: damaged: no member at offset {}; copy the file again", what, e.offset);
  const auto local = bytes_at(file, e.offset, kLocalSize);
  if (field<std::uint32_t>(local, 0) != kLocalMark)
    fail_user("{}: damaged: no member at offset {}; copy the file again", what, e.offset);
  const std::uint64_t begin = kLocalSize + field<std::uint16_t>(local, 26) + field<std::uint16_t>(local, 28);
  const auto left = file.size - e.offset;
  if (begin > left || e.packed > left - begin)
    fail_user("{}: truncated: {} bytes at offset {} expected; copy the file again", what, e.packed, e.offset);
  return part_of(file, e.offset + begin, e.packed);
}

const ZipMember& find_member(const std::vector<ZipMember>& members, const std::string& key,
                             const std::string& path) {
  for (const auto& member : members)
    if (member.name == key + ".npy") return member;
  std::string present;
  for (const auto& member : members) present += (present.empty() ? "" : ", ") + member.name;
  fail_user("{}: no array {}; it holds {}. A MedMNIST file is expected", path, key,
            present.empty() ? "nothing" : present);
}

}  // namespace

std::vector<ZipMember> list_zip(const ByteSource& file, const std::string& what) {
  const auto place = find_directory(file, what);
  const auto bytes = bytes_at(file, place.offset, place.size);
  std::span<const std::uint8_t> directory = bytes;
  std::vector<ZipMember> members;
  for (std::uint64_t i = 0; i < place.entries; ++i) {
    if (directory.size() < kEntrySize || field<std::uint32_t>(directory, 0) != kEntryMark)
      fail_user("{}: damaged: entry {} of its zip directory is invalid; copy the file again", what, i);
    const std::size_t name_size = field<std::uint16_t>(directory, 28),
                      extra_size = field<std::uint16_t>(directory, 30);
    const auto entry_size = kEntrySize + name_size + extra_size + field<std::uint16_t>(directory, 32);
    if (entry_size > directory.size())
      fail_user("{}: truncated in its zip directory; copy the file again", what);
    ZipMember member;
    member.name.assign(reinterpret_cast<const char*>(directory.data()) + kEntrySize, name_size);
    const auto where = fmt::format("{}({})", what, member.name);
    if (field<std::uint16_t>(directory, 8) & 1)
      fail_user("{}: encrypted with a password; unpack it first", where);
    member.method = field<std::uint16_t>(directory, 10);
    if (member.method != 0 && member.method != 8)
      fail_user(
          "{}: compression method {}, stored (0) or deflated (8) expected; save it with "
          "numpy.savez_compressed",
          where, member.method);
    member.crc = field<std::uint32_t>(directory, 16);
    const auto extent = extent_of(directory, name_size, extra_size, where);
    member.size = extent.size;
    if (member.method == 0 && member.size != extent.packed)
      fail_user("{}: damaged: {} bytes stored, {} announced", where, extent.packed, member.size);
    member.packed = packed_bytes(file, extent, where);
    members.push_back(std::move(member));
    directory = directory.subspan(entry_size);
  }
  return members;
}

NpyMember::NpyMember(const ZipMember& member, const std::string& what)
    : what_(fmt::format("{}({})", what, member.name)), member_(member) {
  if (member.method == 8) {
    inflater_ = std::make_unique<Inflater>(member.packed, Deflate::raw, what_);
    begun_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(member.size, kMaxNpyHeader)));
    begun_.resize(inflater_->read(begun_));
  } else {
    begun_ = bytes_at(member.packed, 0, std::min<std::uint64_t>(member.size, kMaxNpyHeader));
  }
  header_ = read_npy_header(begun_, what_);
  if (header_.end != member.size)
    fail_user("{}: damaged: {} bytes announced by the archive, {} by the NumPy header", what_, member.size,
              header_.end);
  if (inflater_) check_inflated_size(member.size, member.packed.size, what_);
  crc_ = static_cast<std::uint32_t>(crc32_z(0, begun_.data(), header_.begin));
  at_ = header_.begin;
}

void NpyMember::read(std::span<std::uint8_t> out) {
  if (out.size() > member_.size - at_)
    fail_user("{}: truncated: {} bytes, {} expected", what_, member_.size, at_ + out.size());
  auto rest = out;
  if (at_ < begun_.size()) {
    const auto some = std::min(rest.size(), begun_.size() - static_cast<std::size_t>(at_));
    std::copy_n(begun_.begin() + static_cast<std::ptrdiff_t>(at_), some, rest.begin());
    rest = rest.subspan(some);
  }
  if (inflater_)
    inflater_->read_all(rest, member_.size);
  else
    member_.packed.read_at(at_ + (out.size() - rest.size()), rest);
  crc_ = static_cast<std::uint32_t>(crc32_z(crc_, out.data(), out.size()));
  at_ += out.size();
}

ReadNext NpyMember::next() {
  return [this](std::span<std::uint8_t> out) { read(out); };
}

void NpyMember::finish() {
  Bytes passed(static_cast<std::size_t>(std::min<std::uint64_t>(member_.size - at_, 1 << 20)));
  while (at_ < member_.size)
    read(std::span(passed).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(member_.size - at_, passed.size()))));
  if (inflater_) inflater_->expect_end(member_.size);
  if (crc_ != member_.crc)
    fail_user("{}: damaged: the checksum does not match its contents; copy the file again", what_);
}

std::vector<std::uint8_t> unpack_npy(const ZipMember& member, const std::string& what) {
  NpyMember reader(member, what);
  require_bytes(member.size, what);
  // The header once more, then the values.
  auto bytes = member.method == 8 ? Bytes() : bytes_at(member.packed, 0, reader.header().begin);
  if (member.method == 8) {
    bytes.resize(reader.header().begin);
    Inflater(member.packed, Deflate::raw, what).read_all(bytes, member.size);
  }
  bytes.resize(static_cast<std::size_t>(member.size));
  reader.next()(std::span(bytes).subspan(reader.header().begin));
  reader.finish();
  return bytes;
}

Dataset load_medmnist(const std::string& path, const LoadOptions& options) {
  const auto members = list_zip(open_source(path), path);
  const std::string split = options.split == Split::train        ? "train"
                            : options.split == Split::validation ? "val"
                                                                 : "test";
  const auto labels_of = [&](const std::string& part) {
    NpyMember member(find_member(members, part + "_labels", path), path);
    auto labels = labels_from_npy(member.header(), member.next(), fmt::format("{}({}_labels)", path, part));
    member.finish();
    return labels;
  };
  Dataset set;
  set.name = std::filesystem::path(path).stem().string();
  const auto where = fmt::format("{}({}_images)", path, split);
  NpyMember images(find_member(members, split + "_images", path), path);
  set.labels = labels_of(split);
  if (!images.header().shape.empty() && set.labels.size() != images.header().shape[0])
    fail_user("{}: {} images, but {} labels", where, images.header().shape[0], set.labels.size());
  images_from_npy(images.header(), images.next(), Axes::channels_last, options, where, set);
  images.finish();
  // The classes are those of all splits, so that every split has the same.
  std::int32_t classes = 0;
  for (const std::string part : {"train", "val", "test"}) {
    const auto has = std::any_of(members.begin(), members.end(),
                                 [&](const auto& m) { return m.name == part + "_labels.npy"; });
    if (has)
      for (const auto label : labels_of(part)) classes = std::max(classes, label + 1);
  }
  for (std::int32_t c = 0; c < classes; ++c) set.classes.push_back(std::to_string(c));
  set.labels.resize(set.count());
  return set;
}

}  // namespace velum::data
