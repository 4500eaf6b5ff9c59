#include "ckks/core/key_sizes.h"

namespace velum::ckks {

namespace {

constexpr std::uint64_t kIds = sizeof(ParametersId) + 16, kSeed = sizeof(Seed);

std::uint64_t switch_key_file_bytes(std::size_t limbs, const Parameters& params) {
  std::uint64_t row = 0;
  for (std::size_t l = 0; l < limbs; ++l) row += packed_limb_bytes(params, l);
  for (std::size_t k = 0; k < params.special_count(); ++k)
    row += packed_limb_bytes(params, params.limbs() + k);
  return kSeed + digit_count(limbs, params.special_count()) * row;
}

}  // namespace

std::uint64_t evaluation_keys_bytes(const KeyList& list, const Parameters& params) {
  std::uint64_t bytes = kIds + sizeof(std::uint32_t) + sizeof(std::uint64_t);
  if (list.relinearise_limbs > 0) bytes += switch_key_file_bytes(list.relinearise_limbs, params);
  for (const auto& r : list.rotations)
    bytes += 2 * sizeof(std::uint32_t) + switch_key_file_bytes(r.limbs, params);
  return bytes;
}

std::uint64_t public_key_bytes(const Parameters& params) {
  std::uint64_t bytes = kIds + kSeed;
  for (std::size_t l = 0; l < params.limbs(); ++l) bytes += packed_limb_bytes(params, l);
  return bytes;
}

}  // namespace velum::ckks
