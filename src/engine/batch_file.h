// Encrypted batches as files, on disk or in memory: inputs (seed and c0 of fresh ciphertexts, or whole ones
// where they were encrypted with a public key) and outputs (whole ciphertexts).
//
// A header that binds the file to its plan, parameters, key and batch, then one record of fixed size a
// ciphertext, each with a tag of its own, so that a reader fetches and verifies any record by itself. The
// bytes are set out in docs/formats.md.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/container.h"
#include "ckks/core/ciphertext.h"
#include "engine/input.h"
#include "engine/record_tags.h"
#include "plan/plan.h"
#include "system/file.h"

namespace velum::engine {

using Id = std::array<std::uint8_t, 16>;

inline constexpr std::uint32_t kBatchFileVersion = 2;
inline constexpr std::size_t kBatchHeaderBytes = 124;

// What tells a batch from all others: the key it is encrypted under, and an id that the client draws at
// random when it encrypts. Outputs have those of the inputs that they answer.
struct BatchOrigin {
  Id key{}, batch{};
};

struct BatchHeader {
  FileType type = FileType::input_batch;  // or public_batch, or output_batch
  Id plan{}, params{};
  BatchOrigin origin;
  std::uint32_t images = 0;
  std::uint32_t ciphertexts =
      0;  // of all batches: batch b holds images [b * B, (b + 1) * B), B images_per_batch
  std::uint64_t file_bytes = 0;
  std::array<std::uint8_t, 32> digest{};  // of the fields above
};

// Whether a batch is one of inputs, however it was encrypted.
bool holds_inputs(FileType type);
const char* type_text(FileType type);  // "encrypted inputs"

// Images are cut into batches of plan::images_per_batch; at least one image, at most 2^31 - 1.
std::size_t batch_count(std::size_t images, const plan::ClientPlan& plan);
// Ciphertexts of one batch of this type.
std::size_t batch_elements(FileType type, const plan::ClientPlan& plan);
// Bytes of a record without its tag.
std::size_t record_bytes(FileType type, const plan::ClientPlan& plan, const ckks::Parameters& params);

BatchHeader make_batch_header(FileType type, const plan::ClientPlan& plan, const ckks::Parameters& params,
                              const BatchOrigin& origin, std::size_t images);
std::vector<std::uint8_t> write_batch_header(const BatchHeader& header);  // computes the digest
// Checks magic, version and digest. Accepts all types: callers compare.
BatchHeader parse_batch_header(std::span<const std::uint8_t> bytes, const std::string& what);
// Throws Error(user) where a file of `file_bytes` is not as long as its header says.
void check_batch_size(const BatchHeader& header, std::uint64_t file_bytes, const std::string& what);
// The header of a file of which the rest need not be there.
BatchHeader read_batch_header(const std::string& path);
// Throws Error(user) where the header is not of this type (for input_batch: holds no inputs), plan and
// parameters, or its counts do not fit them.
void check_batch_header(const BatchHeader& header, FileType type, const plan::ClientPlan& plan,
                        const ckks::Parameters& params, const std::string& what);

// Throws Error(user) where `outputs` do not answer the batch `inputs`; each goes by the name of its file.
void require_answer(const BatchHeader& outputs, const std::string& outputs_file, const BatchHeader& inputs,
                    const std::string& inputs_file);

// Records to and from ciphertexts; those of a public_batch are whole ones, as outputs are. `record` has
// record_bytes(). Unpacking refuses residues that are not below their modulus; `what` names the file, `k` the
// record in the message.
void pack_input(std::span<std::uint8_t> record, const ckks::SeededCiphertext& in,
                const ckks::Parameters& params);
void unpack_input(ckks::View out, std::span<const std::uint8_t> record, const ckks::Parameters& params,
                  const std::string& what, std::size_t k);
void pack_output(std::span<std::uint8_t> record, ckks::ConstView in, const ckks::Parameters& params);
void unpack_output(ckks::View out, std::span<const std::uint8_t> record, const ckks::Parameters& params,
                   const std::string& what, std::size_t k);

// Writes records in order; complete or not at all. In memory where it has no path.
class BatchWriter {
 public:
  BatchWriter(const std::string& path, const plan::ClientPlan& plan, const ckks::Parameters& params,
              FileType type, const BatchOrigin& origin, std::size_t images);
  BatchWriter(const plan::ClientPlan& plan, const ckks::Parameters& params, FileType type,
              const BatchOrigin& origin, std::size_t images);
  const BatchHeader& header() const { return header_; }
  std::size_t record_bytes() const { return record_bytes_; }
  std::size_t sealed_bytes() const { return record_bytes_ + kRecordTagBytes; }
  // Puts the tag of record k behind its bytes; `sealed` has sealed_bytes(). Thread-safe.
  void seal(std::span<std::uint8_t> sealed, std::size_t k) const;
  // Appends whole sealed records, in order.
  void append(std::span<const std::uint8_t> sealed);
  void commit();
  std::vector<std::uint8_t> take();  // commits one in memory: the file

 private:
  void check_complete() const;

  BatchHeader header_;
  std::size_t record_bytes_;
  std::optional<AtomicFile> file_;
  std::vector<std::uint8_t> memory_;
  std::uint64_t written_ = 0;
};

// Opens and checks a batch. Reads are thread-safe.
class BatchReader {
 public:
  BatchReader(const std::string& path, FileType type, const plan::ClientPlan& plan,
              const ckks::Parameters& params);
  // Of a file in memory, which must outlive it; `what` names it in errors.
  BatchReader(std::span<const std::uint8_t> file, const std::string& what, FileType type,
              const plan::ClientPlan& plan, const ckks::Parameters& params);
  const BatchHeader& header() const { return header_; }
  const std::string& path() const { return name_; }
  std::size_t elements() const { return elements_; }  // ciphertexts of one batch
  std::size_t batches() const { return header_.ciphertexts / elements_; }
  std::size_t images_in(std::size_t batch) const;
  // Refuses a batch made under another key than `key`; `holder` names the file of that key.
  void require_key(const Id& key, const std::string& holder) const;
  // Record k, its tag verified.
  std::vector<std::uint8_t> read(std::size_t k) const;
  // Verifies the tags of these records; many at once take a quarter of the time that they take one by one.
  void check(std::span<const std::size_t> records) const;
  // Some bytes of a record that was read whole or checked before: they are not verified again
  // (require_unchanged).
  std::vector<std::uint8_t> read_part(std::size_t k, std::size_t begin, std::size_t bytes) const;
  // Refuses a file that was written to since it was opened.
  void require_unchanged() const;
  const ckks::Parameters& params() const { return params_; }
  std::size_t record_bytes() const { return record_bytes_; }

 private:
  void open(std::span<const std::uint8_t> head, std::uint64_t bytes, FileType type,
            const plan::ClientPlan& plan);
  void read_bytes(std::size_t k, std::size_t begin, std::span<std::uint8_t> out) const;
  [[noreturn]] void refuse_tag(std::size_t k) const;

  std::optional<InputFile> file_;
  std::span<const std::uint8_t> memory_;
  std::string name_;
  const ckks::Parameters& params_;
  BatchHeader header_;
  std::size_t record_bytes_ = 0, elements_ = 0, images_per_batch_ = 0;
};

// One batch of an input file, for the engine.
class FileInput : public InputSource {
 public:
  FileInput(const BatchReader& reader, std::size_t batch)
      : reader_(reader), first_(batch * reader.elements()) {}
  std::size_t count() const override { return reader_.elements(); }
  void read(std::size_t k, ckks::View out) const override;
  void read_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const override;
  void read_several(std::span<const Whole> all) const override;
  void read_limb_of_several(std::span<const Limb> all, std::size_t l) const override;

 private:
  // Checks the records of a group, but for one so small that this would take longer: false then.
  template <typename Place>
  bool check(std::span<const Place> all) const;
  void read_checked_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const;
  const BatchReader& reader_;
  std::size_t first_;
};

// One batch of packed input records in memory, for runs in one process.
class PackedInput : public InputSource {
 public:
  // How often ciphertexts are read: what is read once as a whole gives its memory back at once, and is
  // refused the next time.
  enum class Reads : std::uint8_t { once, again };

  PackedInput(const plan::ClientPlan& plan, const ckks::Parameters& params,
              FileType type = FileType::input_batch, Reads reads = Reads::again);
  std::span<std::uint8_t> record(std::size_t k) { return {bytes_.data() + k * record_bytes_, record_bytes_}; }
  std::uint64_t bytes() const { return bytes_.size(); }
  std::size_t count() const override { return bytes_.size() / record_bytes_; }
  void read(std::size_t k, ckks::View out) const override;
  void read_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const override;

 private:
  const ckks::Parameters& params_;
  FileType type_;
  Reads reads_;
  std::size_t record_bytes_;
  mutable AlignedBuffer<std::uint8_t> bytes_;
  mutable std::vector<std::atomic<bool>> gone_;  // records that were read once
};

std::string id_text(const Id& id);     // hexadecimal
std::string short_text(const Id& id);  // its first 12 digits, for people to compare

}  // namespace velum::engine
