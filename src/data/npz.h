// NumPy archives: zip files of .npy members, stored or deflated.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace velum::data {

struct ZipMember {
  std::string name;
  std::uint16_t method = 0;  // 0 stored, 8 deflated
  std::uint32_t crc = 0;
  std::uint64_t size = 0;  // inflated
  std::span<const std::uint8_t> packed;
};

// The members of an archive under 4 GiB; packed data are views into `file`.
std::vector<ZipMember> list_zip(std::span<const std::uint8_t> file, const std::string& what);
// The bytes of a .npy member, inflated no further than its NumPy header announces, checksum compared.
std::vector<std::uint8_t> unpack_npy(const ZipMember& member, const std::string& what);

// A MedMNIST archive: train_images, train_labels, val_images, val_labels, test_images, test_labels.
Dataset load_medmnist(const std::string& path, const LoadOptions& options);

}  // namespace velum::data
