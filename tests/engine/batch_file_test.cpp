// Batch files: what was written comes back, and nothing else is accepted.
#include "engine/batch_file.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "ckks/client/client.h"
#include "ring/primes.h"

namespace velum::engine {
namespace {

class BatchFile : public ::testing::Test {
 protected:
  static constexpr std::size_t kN = 64, kInputs = 3;

  static ckks::ParametersLiteral literal() {
    ckks::ParametersLiteral l;
    l.n = kN;
    const auto order = ring::root_order(l.ring, kN);
    for (const double target : {0x1p31, 0x1p36})
      l.moduli.push_back(ring::prime_near(target, order, l.moduli));
    l.security = ckks::Security::none;
    return l;
  }
  static plan::ClientPlan client_plan() {
    plan::ClientPlan p;
    p.params = literal();
    p.input_limbs = 2;
    p.input_order = {2, 0, 1};
    p.outputs = 2;
    p.output_order = {0, 1};
    p.output_limbs = 1;
    p.output_polys = 3;
    p.id[0] = 42;
    return p;
  }
  void SetUp() override {
    path = (std::filesystem::temp_directory_path() / fmt::format("velum-batch-{}.vct", ::getpid())).string();
  }
  void TearDown() override { std::filesystem::remove(path); }

  // A file of inputs for `images` images; the ciphertexts that went in.
  std::vector<ckks::SeededCiphertext> write_inputs(std::size_t images) {
    const ckks::Encryptor encryptor(params, secret, ring::Randomness::system());
    BatchWriter writer(path, plan, params, FileType::input_batch, origin, images);
    std::vector<ckks::SeededCiphertext> all;
    for (std::size_t k = 0; k < batch_count(images, plan) * kInputs; ++k) {
      all.push_back(encryptor.encrypt(std::vector<double>(kN, 0.25 * static_cast<double>(k)), 0x1p20, 2));
      std::vector<std::uint8_t> sealed(writer.sealed_bytes());
      pack_input(std::span(sealed).first(writer.record_bytes()), all.back(), params);
      writer.seal(sealed, k);
      writer.append(sealed);
    }
    writer.commit();
    return all;
  }
  BatchReader open() { return BatchReader(path, FileType::input_batch, plan, params); }
  // Changes the file's bytes, then expects an error that says `says` when it is opened or any record read.
  template <typename Change>
  void refuses(const Change& change, const std::string& says) {
    auto bytes = read_file(path);
    const auto good = bytes;
    change(bytes);
    write_file_atomically(path, bytes);
    try {
      const auto reader = open();
      for (std::size_t k = 0; k < reader.header().ciphertexts; ++k) reader.read(k);
      ADD_FAILURE() << "accepted: " << says;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user);
      EXPECT_NE(std::string(e.what()).find(says), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
    }
    write_file_atomically(path, good);
  }

  const plan::ClientPlan plan = client_plan();
  const ckks::Parameters params{literal()};
  const ckks::SecretKey secret = ckks::SecretKey::generate(params, ring::Randomness::system());
  BatchOrigin origin{secret.id(), {1, 2, 3}};
  std::string path;
};

TEST_F(BatchFile, InputsComeBack) {
  const auto written = write_inputs(kN + 5);  // two batches
  const auto reader = open();
  EXPECT_EQ(reader.header().images, kN + 5);
  EXPECT_EQ(reader.batches(), 2u);
  EXPECT_EQ(reader.images_in(0), kN);
  EXPECT_EQ(reader.images_in(1), 5u);
  for (std::size_t b = 0; b < 2; ++b) {
    const FileInput input(reader, b);
    ASSERT_EQ(input.count(), kInputs);
    for (std::size_t k = 0; k < kInputs; ++k) {
      ckks::Ciphertext expected(params, 2, 2, 1), actual(params, 2, 2, 1);
      ckks::expand(expected.view(), written[b * kInputs + k], params);
      input.read(k, actual.view());
      for (std::size_t p = 0; p < 2; ++p)
        for (std::size_t l = 0; l < 2; ++l)
          EXPECT_TRUE(std::equal(expected.view().limb(p, l), expected.view().limb(p, l) + kN,
                                 actual.view().limb(p, l)));
    }
  }
}

// Limb by limb, in each kind of input.
TEST_F(BatchFile, LimbsComeBackAlone) {
  write_inputs(kN + 5);
  const auto expect_limbs = [&](const InputSource& input) {
    for (std::size_t k = 0; k < input.count(); ++k) {
      ckks::Ciphertext whole(params, 2, 2, 1);
      input.read(k, whole.view());
      for (std::size_t l = 0; l < 2; ++l) {
        std::vector<u64> c0(kN), c1(kN);
        input.read_limb(k, l, c0.data(), c1.data());
        EXPECT_TRUE(std::equal(c0.begin(), c0.end(), whole.view().limb(0, l))) << k << ", " << l;
        EXPECT_TRUE(std::equal(c1.begin(), c1.end(), whole.view().limb(1, l))) << k << ", " << l;
      }
    }
  };
  const auto reader = open();
  expect_limbs(FileInput(reader, 0));
  expect_limbs(FileInput(reader, 1));
  const auto file = read_file(path);
  const BatchReader in_memory(file, "memory", FileType::input_batch, plan, params);
  expect_limbs(FileInput(in_memory, 1));

  const ckks::Encryptor encryptor(params, secret, ring::Randomness::system());
  PackedInput seeded(plan, params), whole(plan, params, FileType::public_batch);
  std::vector<ckks::SeededCiphertext> all;
  for (std::size_t k = 0; k < kInputs; ++k) {
    all.push_back(encryptor.encrypt(std::vector<double>(kN, 0.5), 0x1p20, 2));
    pack_input(seeded.record(k), all.back(), params);
    ckks::Ciphertext c(params, 2, 2, 1);
    ckks::expand(c.view(), all.back(), params);
    pack_output(whole.record(k), c.view(), params);
  }
  expect_limbs(seeded);
  expect_limbs(whole);
  expect_limbs(MemoryInput(all, params));
}

// In groups, whose tags are checked side by side.
TEST_F(BatchFile, SeveralComeBackTogether) {
  write_inputs(5 * kN);
  const auto reader = open();
  const FileInput input(reader, 3);
  std::vector<std::vector<u64>> limbs(2 * kInputs, std::vector<u64>(kN));
  std::vector<ckks::Ciphertext> together;
  std::vector<InputSource::Whole> whole;
  std::vector<InputSource::Limb> limb;
  for (std::size_t k = 0; k < kInputs; ++k) together.emplace_back(params, 2, 2, 1);
  for (std::size_t k = 0; k < kInputs; ++k) {
    whole.push_back({k, together[k].view()});
    limb.push_back({k, limbs[2 * k].data(), limbs[2 * k + 1].data()});
  }
  input.read_several(whole);
  for (std::size_t l = 0; l < 2; ++l) {
    input.read_limb_of_several(limb, l);
    for (std::size_t k = 0; k < kInputs; ++k) {
      ckks::Ciphertext alone(params, 2, 2, 1);
      input.read(k, alone.view());
      for (std::size_t p = 0; p < 2; ++p) {
        EXPECT_TRUE(
            std::equal(alone.view().limb(p, l), alone.view().limb(p, l) + kN, together[k].view().limb(p, l)));
        EXPECT_TRUE(
            std::equal(alone.view().limb(p, l), alone.view().limb(p, l) + kN, limbs[2 * k + p].data()));
      }
    }
  }
}

// However many are checked at once, it is the damaged one that is named, and a whole file is accepted.
TEST_F(BatchFile, DamageIsFoundAmongSeveral) {
  write_inputs(5 * kN);
  std::vector<std::size_t> all;
  for (std::size_t k = 0; k < 5 * kInputs; ++k) all.push_back(k);
  EXPECT_NO_THROW(open().check(all));
  const auto good = read_file(path);
  const std::size_t sealed = (good.size() - kBatchHeaderBytes) / all.size();
  for (const auto k : all)
    for (const std::size_t at : {std::size_t{0}, sealed / 2, sealed - 1}) {
      auto damaged = good;
      damaged[kBatchHeaderBytes + k * sealed + at] ^= 1;
      write_file_atomically(path, damaged);
      const auto reader = open();
      for (std::size_t count = 1; count <= all.size(); ++count) {
        const auto some = std::span(all).first(count);
        if (k >= count) {
          EXPECT_NO_THROW(reader.check(some));
          continue;
        }
        try {
          reader.check(some);
          ADD_FAILURE() << "accepted: byte " << at << " of " << k;
        } catch (const Error& e) {
          EXPECT_NE(std::string(e.what()).find(fmt::format("ciphertext {} does not match", k)),
                    std::string::npos)
              << e.what();
        }
      }
    }
  write_file_atomically(path, good);
}

// A record's tag is the library's hash.
TEST(RecordTags, AreBlake2b) {
  for (const std::size_t bytes : {1u, 128u, 129u, 16383u, 16384u, 16385u, 16512u, 40000u})
    for (std::size_t count = 1; count <= 17; ++count) {
      std::vector<std::vector<std::uint8_t>> messages(count, std::vector<std::uint8_t>(bytes));
      for (std::size_t k = 0; k < count; ++k)
        for (std::size_t i = 0; i < bytes; ++i)
          messages[k][i] = static_cast<std::uint8_t>((i * i >> 3) + 31 * i + 7 * k);
      std::vector<RecordTag> tags(count);
      hash_messages(tags, bytes, [&](std::size_t k, std::size_t begin, std::span<std::uint8_t> out) {
        std::copy_n(messages[k].begin() + static_cast<std::ptrdiff_t>(begin), out.size(), out.begin());
      });
      for (std::size_t k = 0; k < count; ++k) {
        RecordTag expected;
        crypto_generichash(expected.data(), expected.size(), messages[k].data(), bytes, nullptr, 0);
        EXPECT_EQ(tags[k], expected) << bytes << " bytes, message " << k << " of " << count;
      }
    }
}

// The first limb is read with the whole record, whose tag is checked; a file that changes after that is
// found.
TEST_F(BatchFile, AFileThatChangesWhileItIsReadIsRefused) {
  write_inputs(3);
  const auto reader = open();
  EXPECT_NO_THROW(reader.require_unchanged());
  auto damaged = read_file(path);
  damaged[kBatchHeaderBytes + 50] ^= 1;
  {
    std::ofstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.write(reinterpret_cast<const char*>(damaged.data()), static_cast<std::streamsize>(damaged.size()));
  }
  std::filesystem::last_write_time(path,
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  std::vector<u64> c0(kN), c1(kN);
  EXPECT_THROW(FileInput(reader, 0).read_limb(0, 0, c0.data(), c1.data()), Error);
  try {
    reader.require_unchanged();
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("written to while it was read"), std::string::npos) << e.what();
  }
}

TEST_F(BatchFile, BatchesOfBlocksHoldFewerImages) {
  auto blocked = plan;
  blocked.blocks = 4;
  blocked.input_order = {2, 0, 1, plan::kAbsent};
  blocked.output_order = {
      1, plan::kAbsent, 0, plan::kAbsent, plan::kAbsent, plan::kAbsent, plan::kAbsent, plan::kAbsent};
  EXPECT_EQ(batch_count(kN / 4, blocked), 1u);
  EXPECT_EQ(batch_count(kN / 4 + 1, blocked), 2u);
  EXPECT_EQ(batch_elements(FileType::input_batch, blocked), 1u);
  EXPECT_EQ(batch_elements(FileType::output_batch, blocked), 2u);
  const auto header = make_batch_header(FileType::output_batch, blocked, params, origin, kN / 2);
  EXPECT_EQ(header.ciphertexts, 4u);
}

TEST_F(BatchFile, OutputsComeBack) {
  ckks::Ciphertext c(params, 3, 1, 1), back(params, 3, 1, 1);
  for (std::size_t i = 0; i < 3 * kN; ++i) c.view().data[i] = params.ring().q(0) - 1 - i;
  std::vector<std::uint8_t> record(record_bytes(FileType::output_batch, plan, params));
  pack_output(record, c.view(), params);
  unpack_output(back.view(), record, params, "file", 0);
  EXPECT_TRUE(std::equal(c.view().data, c.view().data + 3 * kN, back.view().data));
}

TEST_F(BatchFile, PackedInputsInMemoryAreTheSame) {
  const auto written = write_inputs(1);
  PackedInput input(plan, params);
  ASSERT_EQ(input.count(), kInputs);
  for (std::size_t k = 0; k < kInputs; ++k) pack_input(input.record(k), written[k], params);
  ckks::Ciphertext expected(params, 2, 2, 1), actual(params, 2, 2, 1);
  ckks::expand(expected.view(), written[2], params);
  input.read(2, actual.view());
  EXPECT_TRUE(std::equal(expected.view().data, expected.view().data + 4 * kN, actual.view().data));
}

// A run of many gigabytes of inputs does not hold them beside what it has expanded. Neighbours share pages.
TEST_F(BatchFile, PackedInputsThatAreReadOnceAreGone) {
  const auto written = write_inputs(1);
  PackedInput input(plan, params, FileType::input_batch, PackedInput::Reads::once);
  for (std::size_t k = 0; k < kInputs; ++k) pack_input(input.record(k), written[k], params);
  ckks::Ciphertext expected(params, 2, 2, 1), actual(params, 2, 2, 1);
  for (const std::size_t k : {1u, 0u, 2u}) {
    ckks::expand(expected.view(), written[k], params);
    input.read(k, actual.view());
    EXPECT_TRUE(std::equal(expected.view().data, expected.view().data + 4 * kN, actual.view().data)) << k;
    EXPECT_ANY_THROW(input.read(k, actual.view())) << k;
  }
}

TEST_F(BatchFile, DamageIsFound) {
  write_inputs(1);
  const auto record = open().read(0).size() + kRecordTagBytes;
  refuses([](auto& b) { b.pop_back(); }, "truncated");
  refuses([](auto& b) { b.resize(50); }, "truncated");
  refuses([](auto& b) { b.clear(); }, "not a Velum file");
  refuses([](auto& b) { b.push_back(0); }, "oversized");
  refuses([](auto& b) { b[0] ^= 1; }, "not a Velum file");
  refuses([](auto& b) { b[8] = 1; }, "made by an older Velum; encrypt again");
  refuses([](auto& b) { b[8] = 3; }, "made by a newer Velum");
  // As long as a whole file of the first version was.
  refuses([](auto& b) { b[8] = 1, b.resize(108); }, "made by an older Velum");
  for (const std::size_t at : {12, 20, 40, 60, 70, 86, 90, 123})
    refuses([&](auto& b) { b[at] ^= 1; }, "damaged");
  refuses([](auto& b) { b[kBatchHeaderBytes + 3] ^= 1; }, "ciphertext 0");
  refuses([&](auto& b) { b[kBatchHeaderBytes + 2 * record + 100] ^= 1; }, "ciphertext 2");
  // Two whole records that change places keep their own checksums, but not their numbers.
  refuses(
      [&](auto& b) {
        const auto first = b.begin() + kBatchHeaderBytes;
        std::swap_ranges(first, first + static_cast<std::ptrdiff_t>(record),
                         first + static_cast<std::ptrdiff_t>(record));
      },
      "ciphertext 0");
}

// Two batches of one plan, key and count, as one client sends them day by day.
TEST_F(BatchFile, ARecordOfAnotherBatchIsRefused) {
  write_inputs(1);
  const auto record = open().read(1).size() + kRecordTagBytes;
  const auto other = read_file(path);
  origin.batch[15] ^= 1;
  write_inputs(1);
  refuses(
      [&](auto& b) {
        const auto at = static_cast<std::ptrdiff_t>(kBatchHeaderBytes + record);
        std::copy_n(other.begin() + at, record, b.begin() + at);
      },
      "ciphertext 1 does not match, or it belongs to another batch");
}

TEST_F(BatchFile, OutputsAnswerOneBatch) {
  const auto header = [&](FileType type, std::size_t images) {
    return make_batch_header(type, plan, params, origin, images);
  };
  const auto inputs = header(FileType::input_batch, 5);
  EXPECT_NO_THROW(require_answer(header(FileType::output_batch, 5), "logits.vct", inputs, "batch.vct"));
  const auto refused = [&](const BatchHeader& outputs, const BatchHeader& sent, const std::string& says) {
    try {
      require_answer(outputs, "logits.vct", sent, "batch.vct");
      ADD_FAILURE() << "accepted: " << says;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user);
      EXPECT_NE(std::string(e.what()).find(says), std::string::npos) << e.what();
    }
  };
  refused(header(FileType::output_batch, 6), inputs, "of 6 images");
  refused(header(FileType::output_batch, 5), header(FileType::output_batch, 5), "encrypted outputs");
  origin.batch = {9};
  refused(header(FileType::output_batch, 5), inputs,
          "answers batch 090000000000 of 5 images, batch.vct is batch 010203000000");
  origin = {{}, inputs.origin.batch};
  refused(header(FileType::output_batch, 5), inputs, "answers batch");
}

// Of the batch that was sent the header is enough.
TEST_F(BatchFile, AHeaderIsReadAlone) {
  write_inputs(1);
  const auto bytes = read_file(path);
  write_file_atomically(path, std::span(bytes).first(kBatchHeaderBytes));
  EXPECT_EQ(read_batch_header(path).origin.batch, origin.batch);
  write_file_atomically(path, std::span(bytes).first(kBatchHeaderBytes - 1));
  EXPECT_THROW(read_batch_header(path), Error);
}

TEST_F(BatchFile, HeadersThatLieAreFound) {
  write_inputs(1);
  const auto with_header = [&](auto change) {
    return [this, change](std::vector<std::uint8_t>& bytes) {
      auto header = open().header();
      change(header);
      const auto head = write_batch_header(header);
      std::copy(head.begin(), head.end(), bytes.begin());
    };
  };
  refuses(with_header([](BatchHeader& h) { h.type = FileType::output_batch; }), "encrypted outputs");
  refuses(with_header([](BatchHeader& h) { h.plan[3] ^= 1; }), "plan");
  refuses(with_header([](BatchHeader& h) { h.params[3] ^= 1; }), "parameters");
  refuses(with_header([](BatchHeader& h) { h.images = 0; }), "0 images");
  refuses(with_header([](BatchHeader& h) { h.images = 0xffffffff; }), "images");
  refuses(with_header([](BatchHeader& h) { h.images = kN + 1; }), "need 6");
  refuses(with_header([](BatchHeader& h) { h.ciphertexts = 2; }), "need 3");
  EXPECT_NO_THROW(open().require_key(secret.id(), "eval.keys"));
  EXPECT_THROW(open().require_key(Id{}, "eval.keys"), Error);
}

TEST_F(BatchFile, ResiduesAreBelowTheirModulus) {
  std::vector<std::uint8_t> record(record_bytes(FileType::output_batch, plan, params), 0xff);
  ckks::Ciphertext out(params, 3, 1, 1);
  EXPECT_THROW(unpack_output(out.view(), record, params, "file", 7), Error);
}

TEST_F(BatchFile, AWriterThatIsNotDoneLeavesNothing) {
  {
    BatchWriter writer(path, plan, params, FileType::input_batch, origin, 1);
    EXPECT_THROW(writer.commit(), Error);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace velum::engine
