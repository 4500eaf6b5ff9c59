// Encrypted batches: the header as it comes, and the bytes behind it as records (whose tags a fuzzer cannot
// guess).
#include <algorithm>

#include "engine/batch_file.h"
#include "fuzz.h"
#include "tiny_parameters.h"

namespace {

using namespace velum;

// Bytes of the input, repeated or cut to the size of a record.
std::vector<std::uint8_t> record_from(fuzz::Bytes bytes, std::size_t size) {
  std::vector<std::uint8_t> record(size);
  for (std::size_t i = 0; i < size && !bytes.empty(); ++i) record[i] = bytes[i % bytes.size()];
  return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Bytes bytes(data, size);
  const auto& params = fuzz::tiny_parameters();
  const auto& plan = fuzz::tiny_plan();
  fuzz::read_or_refuse([&] {
    const auto header = engine::parse_batch_header(bytes, "file");
    engine::check_batch_size(header, size, "file");
    fuzz::require(
        std::ranges::equal(engine::write_batch_header(header), bytes.first(engine::kBatchHeaderBytes)),
        "one header for one set of fields");
    engine::check_batch_header(header, header.type, plan, params, "file");
  });
  const auto rest = bytes.subspan(std::min(size, engine::kBatchHeaderBytes));
  fuzz::read_or_refuse([&] {
    const auto record = record_from(rest, engine::record_bytes(FileType::input_batch, plan, params));
    ckks::Ciphertext in(params, 2, plan.input_limbs, 1);
    engine::unpack_input(in.view(), record, params, "file", 0);
  });
  fuzz::read_or_refuse([&] {
    const auto record = record_from(rest, engine::record_bytes(FileType::output_batch, plan, params));
    ckks::Ciphertext out(params, plan.output_polys, plan.output_limbs, 1);
    engine::unpack_output(out.view(), record, params, "file", 0);
    std::vector<std::uint8_t> again(record.size());
    engine::pack_output(again, out.view(), params);
    fuzz::require(again == record, "one record for one ciphertext");
  });
  return 0;
}
