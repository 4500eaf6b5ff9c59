#include "data/npz.h"

#include <zlib.h>

#include <algorithm>
#include <filesystem>

#include "base/bytes.h"
#include "base/error.h"
#include "base/file.h"
#include "data/gzip.h"
#include "data/npy.h"

namespace velum::data {

namespace {

constexpr std::uint32_t kEndMark = 0x06054b50, kEntryMark = 0x02014b50, kLocalMark = 0x04034b50;
constexpr std::size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30;

template <typename T>
T field(std::span<const std::uint8_t> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// The end record is last but for a comment of at most 65,535 bytes.
std::size_t find_end(std::span<const std::uint8_t> file, const std::string& what) {
  if (file.size() >= kEndSize) {
    const auto last = file.size() - kEndSize;
    const auto first = last > 65535 ? last - 65535 : 0;
    for (auto at = last + 1; at-- > first;)
      if (field<std::uint32_t>(file, at) == kEndMark) return at;
  }
  fail_user("{}: not a NumPy archive, or truncated: it has no zip directory at its end", what);
}

// The packed bytes of an entry, behind a local header of its own.
std::span<const std::uint8_t> packed_bytes(std::span<const std::uint8_t> file, std::uint64_t offset,
                                           std::uint64_t size, const std::string& what) {
  if (offset > file.size() || file.size() - offset < kLocalSize ||
      field<std::uint32_t>(file, static_cast<std::size_t>(offset)) != kLocalMark)
    fail_user("{}: damaged: no member at offset {}; copy the file again", what, offset);
  const auto local = file.subspan(static_cast<std::size_t>(offset));
  const std::size_t begin = kLocalSize + field<std::uint16_t>(local, 26) + field<std::uint16_t>(local, 28);
  if (begin > local.size() || size > local.size() - begin)
    fail_user("{}: truncated: {} bytes at offset {} expected; copy the file again", what, size, offset);
  return local.subspan(begin, static_cast<std::size_t>(size));
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

std::vector<ZipMember> list_zip(std::span<const std::uint8_t> file, const std::string& what) {
  const auto end = file.subspan(find_end(file, what));
  const auto count = field<std::uint16_t>(end, 10);
  const auto directory_size = field<std::uint32_t>(end, 12), directory_offset = field<std::uint32_t>(end, 16);
  if (directory_offset == 0xffffffffu || count == 0xffffu)
    fail_user("{}: a zip file over 4 GiB (zip64) is not read; save fewer images in one archive", what);
  if (directory_offset > file.size() || directory_size > file.size() - directory_offset)
    fail_user("{}: damaged: its zip directory lies outside the file; copy the file again", what);
  auto directory = file.subspan(directory_offset, directory_size);
  std::vector<ZipMember> members;
  for (std::size_t i = 0; i < count; ++i) {
    if (directory.size() < kEntrySize || field<std::uint32_t>(directory, 0) != kEntryMark)
      fail_user("{}: damaged: entry {} of its zip directory is invalid; copy the file again", what, i);
    const std::size_t name_size = field<std::uint16_t>(directory, 28);
    const std::size_t entry_size =
        kEntrySize + name_size + field<std::uint16_t>(directory, 30) + field<std::uint16_t>(directory, 32);
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
    const auto packed_size = field<std::uint32_t>(directory, 20);
    member.size = field<std::uint32_t>(directory, 24);
    const auto offset = field<std::uint32_t>(directory, 42);
    if (packed_size == 0xffffffffu || member.size == 0xffffffffu || offset == 0xffffffffu)
      fail_user("{}: over 4 GiB (zip64) is not read; save fewer images in one archive", where);
    if (member.method == 0 && member.size != packed_size)
      fail_user("{}: damaged: {} bytes stored, {} announced", where, packed_size, member.size);
    member.packed = packed_bytes(file, offset, packed_size, where);
    members.push_back(std::move(member));
    directory = directory.subspan(entry_size);
  }
  return members;
}

std::vector<std::uint8_t> unpack_npy(const ZipMember& member, const std::string& what) {
  const auto where = fmt::format("{}({})", what, member.name);
  const auto limit = static_cast<std::size_t>(std::min<std::uint64_t>(member.size, kMaxNpyHeader));
  std::vector<std::uint8_t> bytes =
      member.method == 8
          ? inflate_begin(member.packed, Deflate::raw, limit, where)
          : std::vector<std::uint8_t>(member.packed.begin(),
                                      member.packed.begin() + static_cast<std::ptrdiff_t>(limit));
  const auto header = read_npy_header(bytes, where);
  if (header.end != member.size)
    fail_user("{}: damaged: {} bytes announced by the archive, {} by the NumPy header", where, member.size,
              header.end);
  if (member.method == 8)
    bytes = inflate_all(member.packed, Deflate::raw, header.end, where);
  else
    bytes.assign(member.packed.begin(), member.packed.end());
  if (crc32_z(0, bytes.data(), bytes.size()) != member.crc)
    fail_user("{}: damaged: the checksum does not match its contents; copy the file again", where);
  return bytes;
}

Dataset load_medmnist(const std::string& path, const LoadOptions& options) {
  const auto file = read_file(path);
  const auto members = list_zip(file, path);
  const std::string split = options.split == Split::train        ? "train"
                            : options.split == Split::validation ? "val"
                                                                 : "test";
  const auto labels_of = [&](const std::string& part) {
    const auto where = fmt::format("{}({}_labels)", path, part);
    const auto bytes = unpack_npy(find_member(members, part + "_labels", path), path);
    return labels_from_npy(read_npy(bytes, where), where);
  };
  Dataset set;
  set.name = std::filesystem::path(path).stem().string();
  const auto where = fmt::format("{}({}_images)", path, split);
  {
    const auto bytes = unpack_npy(find_member(members, split + "_images", path), path);
    const auto array = read_npy(bytes, where);
    images_from_npy(array, Axes::channels_last, options.limit, where, set);
    set.labels = labels_of(split);
    if (set.labels.size() != array.shape[0])
      fail_user("{}: {} images, but {} labels", where, array.shape[0], set.labels.size());
  }
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
