#include "ckks/core/key_sizes.h"

#include <span>

namespace velum::ckks {

namespace {

constexpr std::uint64_t kIds = sizeof(ParametersId) + 16, kSeed = sizeof(Seed);

std::uint64_t packed_bytes(std::size_t n, std::span<const u64> moduli) {
  std::uint64_t bytes = 0;
  for (const u64 q : moduli) bytes += packed_limb_bytes(n, q);
  return bytes;
}

std::uint64_t switch_key_file_bytes(std::size_t limbs, const ParametersLiteral& params) {
  const auto row =
      packed_bytes(params.n, std::span(params.moduli).first(limbs)) + packed_bytes(params.n, params.special);
  return kSeed + digit_count(limbs, params.special.size()) * row;
}

}  // namespace

std::uint64_t evaluation_keys_bytes(const KeyList& list, const ParametersLiteral& params) {
  std::uint64_t bytes = kIds + sizeof(std::uint32_t) + sizeof(std::uint64_t);
  if (list.relinearise_limbs > 0) bytes += switch_key_file_bytes(list.relinearise_limbs, params);
  for (const auto& r : list.rotations)
    bytes += 2 * sizeof(std::uint32_t) + switch_key_file_bytes(r.limbs, params);
  return bytes;
}

std::uint64_t public_key_bytes(const ParametersLiteral& params) {
  return kIds + kSeed + packed_bytes(params.n, params.moduli);
}

}  // namespace velum::ckks
