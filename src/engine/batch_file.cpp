#include "engine/batch_file.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "system/memory.h"

namespace velum::engine {

namespace {

constexpr std::array<std::uint8_t, 6> kMagic = {'V', 'E', 'L', 'U', 'M', 0};
constexpr std::size_t kDigest = 32;
constexpr std::size_t kSeed = 32;
constexpr std::size_t kMaxImages = 0x7fffffff;

std::size_t packed_polynomial_bytes(const ckks::Parameters& params, std::size_t limbs) {
  std::size_t bytes = 0;
  for (std::size_t l = 0; l < limbs; ++l) bytes += ckks::packed_limb_bytes(params, l);
  return bytes;
}

// Where record k of a file is named in an error.
std::string place(const std::string& what, std::size_t k) {
  return fmt::format("{}: ciphertext {}", what, k);
}

// What a record's tag covers before the record: the header's digest, and the record's number.
constexpr std::size_t kTagStart = kDigest + sizeof(std::uint64_t);

std::array<std::uint8_t, kTagStart> tag_start(const BatchHeader& header, std::size_t k) {
  std::array<std::uint8_t, kTagStart> start;
  const std::uint64_t index = k;
  std::ranges::copy(header.digest, start.begin());
  std::memcpy(start.data() + kDigest, &index, sizeof index);
  return start;
}

RecordTag tag_of(const BatchHeader& header, std::size_t k, std::span<const std::uint8_t> record) {
  crypto_generichash_state state;
  RecordTag tag;
  const auto start = tag_start(header, k);
  crypto_generichash_init(&state, nullptr, 0, tag.size());
  crypto_generichash_update(&state, start.data(), start.size());
  crypto_generichash_update(&state, record.data(), record.size());
  crypto_generichash_final(&state, tag.data(), tag.size());
  return tag;
}

template <typename Array>
void put_id(ByteWriter& w, const Array& id) {
  w.put_bytes(std::as_bytes(std::span(id)));
}

Id get_id(ByteReader& r) {
  Id id;
  std::ranges::copy(r.get_bytes(id.size()), id.begin());
  return id;
}

std::vector<std::uint8_t> head_of(const InputFile& file) {
  std::vector<std::uint8_t> head(std::min<std::uint64_t>(file.size(), kBatchHeaderBytes));
  file.read_at(0, head);
  return head;
}

void require_bytes(std::size_t actual, std::size_t expected) {
  if (actual != expected) fail("record of {} bytes where {} are needed", actual, expected);
}

}  // namespace

bool holds_inputs(FileType type) {
  return type == FileType::input_batch || type == FileType::public_batch;
}

const char* type_text(FileType type) {
  return type == FileType::input_batch    ? "encrypted inputs"
         : type == FileType::public_batch ? "inputs encrypted with a public key"
         : type == FileType::output_batch ? "encrypted outputs"
                                          : "something else";
}

std::string id_text(const Id& id) {
  std::string text;
  for (const auto byte : id) text += fmt::format("{:02x}", byte);
  return text;
}

std::string short_text(const Id& id) {
  return id_text(id).substr(0, 12);
}

std::size_t batch_count(std::size_t images, const plan::ClientPlan& plan) {
  if (images == 0) fail_user("a batch needs at least one image");
  if (images > kMaxImages)
    fail_user("{} images in one batch file, at most {} fit; split the data set", images, kMaxImages);
  const auto each = plan::images_per_batch(plan);
  return (images + each - 1) / each;
}

std::size_t batch_elements(FileType type, const plan::ClientPlan& plan) {
  return holds_inputs(type) ? plan::input_ciphertexts(plan) : plan::output_ciphertexts(plan);
}

std::size_t record_bytes(FileType type, const plan::ClientPlan& plan, const ckks::Parameters& params) {
  if (type == FileType::input_batch) return kSeed + packed_polynomial_bytes(params, plan.input_limbs);
  if (type == FileType::public_batch) return 2 * packed_polynomial_bytes(params, plan.input_limbs);
  return plan.output_polys * packed_polynomial_bytes(params, plan.output_limbs);
}

BatchHeader make_batch_header(FileType type, const plan::ClientPlan& plan, const ckks::Parameters& params,
                              const BatchOrigin& origin, std::size_t images) {
  BatchHeader h;
  h.type = type;
  h.plan = plan.id;
  h.params = params.id();
  h.origin = origin;
  const auto count = batch_count(images, plan) * batch_elements(type, plan);
  if (count > 0xffffffffu)
    fail_user("{} images need {} ciphertexts, a batch file holds at most 2^32 - 1; split the data set",
              images, count);
  h.images = static_cast<std::uint32_t>(images);
  h.ciphertexts = static_cast<std::uint32_t>(count);
  h.file_bytes = kBatchHeaderBytes + count * (record_bytes(type, plan, params) + kRecordTagBytes);
  const auto bytes = write_batch_header(h);
  std::copy(bytes.end() - kDigest, bytes.end(), h.digest.begin());
  return h;
}

std::vector<std::uint8_t> write_batch_header(const BatchHeader& h) {
  ByteWriter w;
  put_id(w, kMagic);
  w.put(static_cast<std::uint16_t>(h.type));
  w.put(kBatchFileVersion);
  w.put(h.file_bytes);
  put_id(w, h.plan);
  put_id(w, h.params);
  put_id(w, h.origin.key);
  put_id(w, h.origin.batch);
  w.put(h.images);
  w.put(h.ciphertexts);
  std::array<std::uint8_t, kDigest> digest;
  crypto_generichash(digest.data(), digest.size(), w.bytes().data(), w.size(), nullptr, 0);
  put_id(w, digest);
  return w.take();
}

BatchHeader parse_batch_header(std::span<const std::uint8_t> bytes, const std::string& what) {
  ByteReader r(bytes, what);
  if (bytes.size() < kMagic.size() ||
      !std::equal(kMagic.begin(), kMagic.end(), r.get_bytes(kMagic.size()).begin()))
    fail_user("{}: not a Velum file (an encrypted batch expected)", what);
  const auto need = [&](std::size_t least) {
    if (bytes.size() < least)
      fail_user("{}: truncated: {} bytes, an encrypted batch has at least {}; copy the file again", what,
                bytes.size(), kBatchHeaderBytes);
  };
  need(kMagic.size() + sizeof(std::uint16_t) + sizeof(std::uint32_t));
  BatchHeader h;
  const auto type = r.get<std::uint16_t>();
  h.type = static_cast<FileType>(type);
  if (!holds_inputs(h.type) && h.type != FileType::output_batch)
    fail_user("{}: a Velum file of type {}, but not an encrypted batch (velum inspect tells what it is)",
              what, type);
  const auto version = r.get<std::uint32_t>();
  if (version < kBatchFileVersion)
    fail_user("{}: made by an older Velum; encrypt again (format version {}, this program reads version {})",
              what, version, kBatchFileVersion);
  if (version > kBatchFileVersion)
    fail_user("{}: made by a newer Velum (format version {}, this program reads version {}); use that one",
              what, version, kBatchFileVersion);
  need(kBatchHeaderBytes);
  h.file_bytes = r.get<std::uint64_t>();
  h.plan = get_id(r);
  h.params = get_id(r);
  h.origin.key = get_id(r);
  h.origin.batch = get_id(r);
  h.images = r.get<std::uint32_t>();
  h.ciphertexts = r.get<std::uint32_t>();
  const auto fields = r.position();
  std::ranges::copy(r.get_bytes(kDigest), h.digest.begin());
  std::array<std::uint8_t, kDigest> digest;
  crypto_generichash(digest.data(), digest.size(), bytes.data(), fields, nullptr, 0);
  if (digest != h.digest)
    fail_user("{}: damaged: the header's checksum does not match; copy the file again", what);
  return h;
}

void check_batch_size(const BatchHeader& h, std::uint64_t file_bytes, const std::string& what) {
  if (file_bytes < h.file_bytes)
    fail_user("{}: truncated: {} bytes, {} announced; copy the file again", what, file_bytes, h.file_bytes);
  if (file_bytes > h.file_bytes)
    fail_user("{}: oversized: {} bytes after the end of its contents", what, file_bytes - h.file_bytes);
}

BatchHeader read_batch_header(const std::string& path) {
  const InputFile file(path);
  return parse_batch_header(head_of(file), path);
}

void require_answer(const BatchHeader& outputs, const std::string& outputs_file, const BatchHeader& inputs,
                    const std::string& inputs_file) {
  if (!holds_inputs(inputs.type))
    fail_user("{}: this file holds {}, {} expected: the batch that was sent", inputs_file,
              type_text(inputs.type), type_text(FileType::input_batch));
  const bool same = outputs.plan == inputs.plan && outputs.params == inputs.params &&
                    outputs.origin.key == inputs.origin.key && outputs.images == inputs.images;
  if (outputs.origin.batch != inputs.origin.batch || !same)
    fail_user(
        "{}: answers batch {} of {} images, {} is batch {} of {}; ask the server for the results of that "
        "batch",
        outputs_file, short_text(outputs.origin.batch), outputs.images, inputs_file,
        short_text(inputs.origin.batch), inputs.images);
}

void check_batch_header(const BatchHeader& h, FileType type, const plan::ClientPlan& plan,
                        const ckks::Parameters& params, const std::string& what) {
  if (type == FileType::input_batch ? !holds_inputs(h.type) : h.type != type)
    fail_user("{}: this file holds {}, {} expected", what, type_text(h.type), type_text(type));
  if (h.params != params.id())
    fail_user("{}: made under parameters {}, the plan has {}; encrypt again with this plan", what,
              id_text(h.params), id_text(params.id()));
  if (h.plan != plan.id)
    fail_user("{}: made for plan {}, this is plan {}; encrypt again with this plan", what, id_text(h.plan),
              id_text(plan.id));
  if (h.images == 0 || h.images > kMaxImages) fail_user("{}: announces {} images", what, h.images);
  if (h.type == FileType::public_batch && !plan.public_key)
    fail_user(
        "{}: encrypted with a public key, whose noise the plan's precision leaves out; plan again with "
        "--public-key, "
        "or encrypt with the secret key",
        what);
  const auto count = batch_count(h.images, plan) * batch_elements(h.type, plan);
  if (h.ciphertexts != count)
    fail_user("{}: {} ciphertexts, {} images need {}; the batch has another shape than the plan", what,
              h.ciphertexts, h.images, count);
  const auto bytes = kBatchHeaderBytes + count * (record_bytes(h.type, plan, params) + kRecordTagBytes);
  if (h.file_bytes != bytes)
    fail_user("{}: {} bytes announced, {} ciphertexts need {}", what, h.file_bytes, count, bytes);
}

void pack_input(std::span<std::uint8_t> record, const ckks::SeededCiphertext& in,
                const ckks::Parameters& params) {
  require_bytes(record.size(), kSeed + packed_polynomial_bytes(params, in.limbs));
  std::ranges::copy(in.seed, record.begin());
  auto* at = record.data() + kSeed;
  for (std::size_t l = 0; l < in.limbs; at += ckks::packed_limb_bytes(params, l), ++l)
    ckks::pack_limb(at, in.c0.data() + l * params.n(), params, l);
}

void unpack_input(ckks::View out, std::span<const std::uint8_t> record, const ckks::Parameters& params,
                  const std::string& what, std::size_t k) {
  require_bytes(record.size(), kSeed + packed_polynomial_bytes(params, out.limbs));
  ckks::Seed seed;
  std::copy_n(record.begin(), kSeed, seed.begin());
  std::size_t at = kSeed;
  for (std::size_t l = 0; l < out.limbs; ++l) {
    const auto bytes = ckks::packed_limb_bytes(params, l);
    ckks::unpack_limb(out.limb(0, l), record.subspan(at, bytes), params, l, place(what, k));
    at += bytes;
    ckks::expand_limb(out.limb(1, l), seed, l, params.n(), params.ring().modulus(l));
  }
}

void pack_output(std::span<std::uint8_t> record, ckks::ConstView in, const ckks::Parameters& params) {
  require_bytes(record.size(), in.polys * packed_polynomial_bytes(params, in.limbs));
  auto* at = record.data();
  for (std::size_t p = 0; p < in.polys; ++p)
    for (std::size_t l = 0; l < in.limbs; at += ckks::packed_limb_bytes(params, l), ++l)
      ckks::pack_limb(at, in.limb(p, l), params, l);
}

void unpack_output(ckks::View out, std::span<const std::uint8_t> record, const ckks::Parameters& params,
                   const std::string& what, std::size_t k) {
  require_bytes(record.size(), out.polys * packed_polynomial_bytes(params, out.limbs));
  std::size_t at = 0;
  for (std::size_t p = 0; p < out.polys; ++p)
    for (std::size_t l = 0; l < out.limbs; ++l) {
      const auto bytes = ckks::packed_limb_bytes(params, l);
      ckks::unpack_limb(out.limb(p, l), record.subspan(at, bytes), params, l, place(what, k));
      at += bytes;
    }
}

BatchWriter::BatchWriter(const std::string& path, const plan::ClientPlan& plan,
                         const ckks::Parameters& params, FileType type, const BatchOrigin& origin,
                         std::size_t images)
    : header_(make_batch_header(type, plan, params, origin, images)),
      record_bytes_(engine::record_bytes(type, plan, params)),
      file_(std::in_place, path) {
  file_->write(write_batch_header(header_));
}

BatchWriter::BatchWriter(const plan::ClientPlan& plan, const ckks::Parameters& params, FileType type,
                         const BatchOrigin& origin, std::size_t images)
    : header_(make_batch_header(type, plan, params, origin, images)),
      record_bytes_(engine::record_bytes(type, plan, params)),
      memory_(write_batch_header(header_)) {
  memory_.reserve(header_.file_bytes);
}

void BatchWriter::seal(std::span<std::uint8_t> sealed, std::size_t k) const {
  require_bytes(sealed.size(), sealed_bytes());
  std::ranges::copy(tag_of(header_, k, sealed.first(record_bytes_)),
                    sealed.begin() + static_cast<std::ptrdiff_t>(record_bytes_));
}

void BatchWriter::append(std::span<const std::uint8_t> sealed) {
  if (file_)
    file_->write(sealed);
  else
    memory_.insert(memory_.end(), sealed.begin(), sealed.end());
  written_ += sealed.size() / sealed_bytes();
}

void BatchWriter::check_complete() const {
  if (written_ != header_.ciphertexts)
    fail("{}: {} ciphertexts written, {} announced", file_ ? file_->path() : "a batch in memory", written_,
         header_.ciphertexts);
}

void BatchWriter::commit() {
  check_complete();
  if (file_) file_->commit();
}

std::vector<std::uint8_t> BatchWriter::take() {
  check_complete();
  return std::move(memory_);
}

BatchReader::BatchReader(const std::string& path, FileType type, const plan::ClientPlan& plan,
                         const ckks::Parameters& params)
    : file_(std::in_place, path), name_(path), params_(params) {
  open(head_of(*file_), file_->size(), type, plan);
}

BatchReader::BatchReader(std::span<const std::uint8_t> file, const std::string& what, FileType type,
                         const plan::ClientPlan& plan, const ckks::Parameters& params)
    : memory_(file), name_(what), params_(params) {
  open(file.first(std::min(file.size(), kBatchHeaderBytes)), file.size(), type, plan);
}

void BatchReader::open(std::span<const std::uint8_t> head, std::uint64_t bytes, FileType type,
                       const plan::ClientPlan& plan) {
  header_ = parse_batch_header(head, name_);
  check_batch_size(header_, bytes, name_);
  check_batch_header(header_, type, plan, params_, name_);
  record_bytes_ = engine::record_bytes(header_.type, plan, params_);
  elements_ = batch_elements(header_.type, plan);
  images_per_batch_ = plan::images_per_batch(plan);
}

std::size_t BatchReader::images_in(std::size_t batch) const {
  return std::min<std::size_t>(images_per_batch_, header_.images - batch * images_per_batch_);
}

void BatchReader::require_key(const Id& key, const std::string& holder) const {
  if (header_.origin.key != key)
    fail_user("{}: encrypted under key {}, {} belongs to key {}; use the keys that it was made with", path(),
              id_text(header_.origin.key), holder, id_text(key));
}

// Of record k and its tag: within the file, by its checked size.
void BatchReader::read_bytes(std::size_t k, std::size_t begin, std::span<std::uint8_t> out) const {
  const auto at = kBatchHeaderBytes + std::uint64_t{k} * (record_bytes_ + kRecordTagBytes) + begin;
  if (file_)
    file_->read_at(at, out);
  else
    std::ranges::copy(memory_.subspan(at, out.size()), out.begin());
}

void BatchReader::refuse_tag(std::size_t k) const {
  fail_user(
      "{}: damaged: the checksum of ciphertext {} does not match, or it belongs to another batch; copy the "
      "file again",
      path(), k);
}

std::vector<std::uint8_t> BatchReader::read(std::size_t k) const {
  if (k >= header_.ciphertexts) fail("{}: ciphertext {} of {}", path(), k, header_.ciphertexts);
  std::vector<std::uint8_t> record(record_bytes_ + kRecordTagBytes);
  read_bytes(k, 0, record);
  const auto tag = tag_of(header_, k, std::span(record).first(record_bytes_));
  if (!std::equal(tag.begin(), tag.end(), record.begin() + static_cast<std::ptrdiff_t>(record_bytes_)))
    refuse_tag(k);
  record.resize(record_bytes_);
  return record;
}

void BatchReader::check(std::span<const std::size_t> records) const {
  for (const auto k : records)
    if (k >= header_.ciphertexts) fail("{}: ciphertext {} of {}", path(), k, header_.ciphertexts);
  std::vector<RecordTag> tags(records.size());
  hash_messages(tags, kTagStart + record_bytes_, [&](std::size_t i, std::size_t begin, auto out) {
    if (begin > 0) return read_bytes(records[i], begin - kTagStart, out);
    const auto head = tag_start(header_, records[i]);
    std::ranges::copy(head, out.begin());
    read_bytes(records[i], 0, out.subspan(kTagStart));
  });
  for (std::size_t i = 0; i < records.size(); ++i) {
    RecordTag stated;
    read_bytes(records[i], record_bytes_, stated);
    if (stated != tags[i]) refuse_tag(records[i]);
  }
}

std::vector<std::uint8_t> BatchReader::read_part(std::size_t k, std::size_t begin, std::size_t bytes) const {
  if (k >= header_.ciphertexts || begin + bytes > record_bytes_)
    fail("{}: bytes {} to {} of ciphertext {}", path(), begin, begin + bytes, k);
  std::vector<std::uint8_t> part(bytes);
  read_bytes(k, begin, part);
  return part;
}

void BatchReader::require_unchanged() const {
  if (file_ && file_->changed())
    fail_user("{}: written to while it was read; wait until it is complete, and run again", path());
}

namespace {

// Limb l of both polynomials of an input record, of which part(begin, bytes) gives some bytes.
template <typename Part>
void unpack_limb_of_input(FileType type, u64* c0, u64* c1, std::size_t l, const ckks::Parameters& params,
                          const std::string& what, Part&& part) {
  const std::size_t bytes = ckks::packed_limb_bytes(params, l), begin = packed_polynomial_bytes(params, l);
  if (type == FileType::public_batch) {
    const auto second = packed_polynomial_bytes(params, params.limbs());
    ckks::unpack_limb(c0, part(begin, bytes), params, l, what);
    ckks::unpack_limb(c1, part(second + begin, bytes), params, l, what);
    return;
  }
  ckks::Seed seed;
  std::ranges::copy(part(0, kSeed), seed.begin());
  ckks::unpack_limb(c0, part(kSeed + begin, bytes), params, l, what);
  ckks::expand_limb(c1, seed, l, params.n(), params.ring().modulus(l));
}

void unpack(FileType type, ckks::View out, std::span<const std::uint8_t> record,
            const ckks::Parameters& params, const std::string& what, std::size_t k) {
  (type == FileType::public_batch ? unpack_output : unpack_input)(out, record, params, what, k);
}

}  // namespace

void FileInput::read(std::size_t k, ckks::View out) const {
  unpack(reader_.header().type, out, reader_.read(first_ + k), reader_.params(), reader_.path(), first_ + k);
}

void FileInput::read_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const {
  if (l > 0) return read_checked_limb(k, l, c0, c1);
  const auto record = reader_.read(first_ + k);
  unpack_limb_of_input(
      reader_.header().type, c0, c1, l, reader_.params(), place(reader_.path(), first_ + k),
      [&](std::size_t begin, std::size_t bytes) { return std::span(record).subspan(begin, bytes); });
}

void FileInput::read_checked_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const {
  unpack_limb_of_input(
      reader_.header().type, c0, c1, l, reader_.params(), place(reader_.path(), first_ + k),
      [&](std::size_t begin, std::size_t bytes) { return reader_.read_part(first_ + k, begin, bytes); });
}

// Two records are as soon read whole and checked one by one.
template <typename Place>
bool FileInput::check(std::span<const Place> all) const {
  if (all.size() <= 2) return false;
  std::vector<std::size_t> records;
  for (const auto& place : all) records.push_back(first_ + place.k);
  reader_.check(records);
  return true;
}

void FileInput::read_several(std::span<const Whole> all) const {
  if (!check(all)) return InputSource::read_several(all);
  for (const auto& [k, out] : all)
    unpack(reader_.header().type, out, reader_.read_part(first_ + k, 0, reader_.record_bytes()),
           reader_.params(), reader_.path(), first_ + k);
}

void FileInput::read_limb_of_several(std::span<const Limb> all, std::size_t l) const {
  if (l == 0 && !check(all)) return InputSource::read_limb_of_several(all, l);
  for (const auto& [k, c0, c1] : all) read_checked_limb(k, l, c0, c1);
}

PackedInput::PackedInput(const plan::ClientPlan& plan, const ckks::Parameters& params, FileType type,
                         Reads reads)
    : params_(params),
      type_(type),
      reads_(reads),
      record_bytes_(engine::record_bytes(type, plan, params)),
      bytes_(record_bytes_ * plan::input_ciphertexts(plan)),
      gone_(reads == Reads::once ? plan::input_ciphertexts(plan) : 0) {}

void PackedInput::read(std::size_t k, ckks::View out) const {
  if (reads_ == Reads::once && gone_[k].exchange(true))
    fail("engine: ciphertext {} of a batch that is read once is read again", k);
  unpack(type_, out, {bytes_.data() + k * record_bytes_, record_bytes_}, params_, "the batch in memory", k);
  if (reads_ == Reads::once)
    release_pages(std::as_writable_bytes(bytes_.span().subspan(k * record_bytes_, record_bytes_)));
}

void PackedInput::read_limb(std::size_t k, std::size_t l, u64* c0, u64* c1) const {
  if (reads_ == Reads::once && gone_[k]) fail("engine: ciphertext {} was read as a whole before", k);
  const auto record = bytes_.span().subspan(k * record_bytes_, record_bytes_);
  unpack_limb_of_input(type_, c0, c1, l, params_, place("the batch in memory", k),
                       [&](std::size_t begin, std::size_t bytes) { return record.subspan(begin, bytes); });
}

}  // namespace velum::engine
