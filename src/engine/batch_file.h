// Encrypted batches as files: inputs (seed and c0 of fresh ciphertexts) and outputs (whole ciphertexts).
//
// A header that binds the file to its plan, parameters and key, then one record of fixed size a ciphertext,
// each with a tag of its own, so that a reader fetches and verifies any record by itself. The bytes are set
// out in docs/formats.md.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/container.h"
#include "base/file.h"
#include "ckks/core/ciphertext.h"
#include "engine/input.h"
#include "plan/plan.h"

namespace velum::engine {

using Id = std::array<std::uint8_t, 16>;

inline constexpr std::uint32_t kBatchFileVersion = 1;
inline constexpr std::size_t kBatchHeaderBytes = 108;
inline constexpr std::size_t kRecordTagBytes = 16;

struct BatchHeader {
  FileType type = FileType::input_batch;  // or output_batch
  Id plan{}, params{}, key{};
  std::uint32_t images = 0;
  std::uint32_t ciphertexts = 0;  // of all batches: batch b holds images [b * slots, (b + 1) * slots)
  std::uint64_t file_bytes = 0;
  std::array<std::uint8_t, 32> digest{};  // of the fields above
};

// Images are cut into batches of as many as there are slots; at least one image, at most 2^31 - 1.
std::size_t batch_count(std::size_t images, const ckks::Parameters& params);
// Ciphertexts of one batch of this type.
std::size_t batch_elements(FileType type, const plan::ClientPlan& plan);
// Bytes of a record without its tag.
std::size_t record_bytes(FileType type, const plan::ClientPlan& plan, const ckks::Parameters& params);

BatchHeader make_batch_header(FileType type, const plan::ClientPlan& plan, const ckks::Parameters& params,
                              const Id& key, std::size_t images);
std::vector<std::uint8_t> write_batch_header(const BatchHeader& header);  // computes the digest
// Checks magic, version, digest and the size of the file. Accepts both types: callers compare.
BatchHeader parse_batch_header(std::span<const std::uint8_t> bytes, std::uint64_t file_bytes,
                               const std::string& what);
// Throws Error(user) where the header is not of this type, plan and parameters, or its counts do not fit
// them.
void check_batch_header(const BatchHeader& header, FileType type, const plan::ClientPlan& plan,
                        const ckks::Parameters& params, const std::string& what);

// Records to and from ciphertexts. `record` has record_bytes(). Unpacking refuses residues that are not below
// their modulus; `what` names the file, `k` the record in the message.
void pack_input(std::span<std::uint8_t> record, const ckks::SeededCiphertext& in,
                const ckks::Parameters& params);
void unpack_input(ckks::View out, std::span<const std::uint8_t> record, const ckks::Parameters& params,
                  const std::string& what, std::size_t k);
void pack_output(std::span<std::uint8_t> record, ckks::ConstView in, const ckks::Parameters& params);
void unpack_output(ckks::View out, std::span<const std::uint8_t> record, const ckks::Parameters& params,
                   const std::string& what, std::size_t k);

// Writes records in order; complete or not at all.
class BatchWriter {
 public:
  BatchWriter(const std::string& path, const plan::ClientPlan& plan, const ckks::Parameters& params,
              FileType type, const Id& key, std::size_t images);
  std::size_t record_bytes() const { return record_bytes_; }
  std::size_t sealed_bytes() const { return record_bytes_ + kRecordTagBytes; }
  // Puts the tag of record k behind its bytes; `sealed` has sealed_bytes(). Thread-safe.
  void seal(std::span<std::uint8_t> sealed, std::size_t k) const;
  // Appends whole sealed records, in order.
  void append(std::span<const std::uint8_t> sealed);
  void commit();

 private:
  BatchHeader header_;
  std::size_t record_bytes_;
  AtomicFile file_;
  std::uint64_t written_ = 0;
};

// Opens and checks a batch. Reads are thread-safe.
class BatchReader {
 public:
  BatchReader(const std::string& path, FileType type, const plan::ClientPlan& plan,
              const ckks::Parameters& params);
  const BatchHeader& header() const { return header_; }
  const std::string& path() const { return file_.path(); }
  std::size_t elements() const { return elements_; }  // of one batch
  std::size_t batches() const { return header_.ciphertexts / elements_; }
  std::size_t images_in(std::size_t batch) const;
  // Refuses a batch made under another key than `key`; `holder` names the file of that key.
  void require_key(const Id& key, const std::string& holder) const;
  // Record k, its tag verified.
  std::vector<std::uint8_t> read(std::size_t k) const;
  const ckks::Parameters& params() const { return params_; }

 private:
  InputFile file_;
  const ckks::Parameters& params_;
  BatchHeader header_;
  std::size_t record_bytes_, elements_;
};

// One batch of an input file, for the engine.
class FileInput : public InputSource {
 public:
  FileInput(const BatchReader& reader, std::size_t batch)
      : reader_(reader), first_(batch * reader.elements()) {}
  std::size_t count() const override { return reader_.elements(); }
  void read(std::size_t k, ckks::View out) const override;

 private:
  const BatchReader& reader_;
  std::size_t first_;
};

// One batch of packed input records in memory, for runs in one process.
class PackedInput : public InputSource {
 public:
  PackedInput(const plan::ClientPlan& plan, const ckks::Parameters& params);
  std::span<std::uint8_t> record(std::size_t k) { return {bytes_.data() + k * record_bytes_, record_bytes_}; }
  std::uint64_t bytes() const { return bytes_.size(); }
  std::size_t count() const override { return bytes_.size() / record_bytes_; }
  void read(std::size_t k, ckks::View out) const override;

 private:
  const ckks::Parameters& params_;
  std::size_t record_bytes_;
  AlignedBuffer<std::uint8_t> bytes_;
};

std::string id_text(const Id& id);  // hexadecimal

}  // namespace velum::engine
