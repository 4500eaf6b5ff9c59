// NumPy archives: zip files of .npy members, stored or deflated.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/byte_source.h"
#include "data/dataset.h"
#include "data/gzip.h"
#include "data/npy.h"

namespace velum::data {

struct ZipMember {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc = 0;
  std::uint64_t size = 0;  // inflated
  ByteSource packed;
};

// The members of an archive, zip64 included; an archive ends with its directory and that directory's comment.
std::vector<ZipMember> list_zip(const ByteSource& file, const std::string& what);

// A .npy member, read one value after the other and inflated no further than asked for.
class NpyMember {
 public:
  // The archive's announced size must be that of the NumPy header.
  NpyMember(const ZipMember& member, const std::string& what);
  const NpyHeader& header() const { return header_; }
  ReadNext next();
  // Reads what is left; its end and its checksum must be those that the archive announces.
  void finish();

 private:
  void read(std::span<std::uint8_t> out);

  std::string what_;
  ZipMember member_;
  NpyHeader header_;
  std::vector<std::uint8_t> begun_;     // read with the header, not yet asked for
  std::unique_ptr<Inflater> inflater_;  // where it is deflated
  std::uint64_t at_ = 0;                // bytes of the contents read so far
  std::uint32_t crc_ = 0;               // of those
};
// The whole contents.
std::vector<std::uint8_t> unpack_npy(const ZipMember& member, const std::string& what);

// A MedMNIST archive, of which only the split asked for and all labels are read: train_images, train_labels,
// val_images, val_labels, test_images, test_labels.
Dataset load_medmnist(const std::string& path, const LoadOptions& options);

}  // namespace velum::data
