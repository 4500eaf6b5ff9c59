#include <sodium.h>

#include <algorithm>

#include "base/container.h"
#include "base/error.h"
#include "ckks/client/client.h"
#include "ring/samplers.h"

namespace velum::ckks {

namespace {

constexpr std::uint32_t kVersion = 1;

// Two bits a coefficient, two's complement, four to a byte from the lowest bits on: 0, 1, -1 are 00, 01, 11.
void pack_ternary(std::uint8_t* out, std::span<const std::int8_t> ternary) {
  for (std::size_t i = 0; i < ternary.size(); i += 4) {
    unsigned byte = 0;
    for (std::size_t j = 0; j < 4; ++j) byte |= (static_cast<unsigned>(ternary[i + j]) & 3u) << (2 * j);
    out[i / 4] = static_cast<std::uint8_t>(byte);
  }
}

// False where a coefficient has the bits 10, which no ternary value has.
bool unpack_ternary(std::span<std::int8_t> out, const std::uint8_t* in) {
  unsigned invalid = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned bits = (in[i / 4] >> (2 * (i % 4))) & 3u;
    out[i] = static_cast<std::int8_t>(static_cast<int>(bits & 1u) - static_cast<int>(bits & 2u));
    invalid |= (bits >> 1) & ~bits & 1u;
  }
  return invalid == 0;
}

// A keyed hash of the secret: names it, and tells no more about it than a guess of the whole secret could
// confirm.
std::array<std::uint8_t, 16> identify(const ParametersId& params, std::span<const std::int8_t> ternary) {
  static constexpr char kKey[] = "Velum: identity of a secret key";  // 32 bytes, for domain separation
  SecretBuffer<std::uint8_t> packed(ternary.size() / 4);
  pack_ternary(packed.data(), ternary);
  crypto_generichash_state state;
  std::array<std::uint8_t, 16> id;
  crypto_generichash_init(&state, reinterpret_cast<const unsigned char*>(kKey), sizeof kKey, id.size());
  crypto_generichash_update(&state, params.data(), params.size());
  crypto_generichash_update(&state, packed.data(), packed.size());
  crypto_generichash_final(&state, id.data(), id.size());
  sodium_memzero(&state, sizeof state);
  return id;
}

}  // namespace

SecretKey::SecretKey(const Parameters& params, SecretBuffer<std::int8_t> ternary)
    : n_(params.n()),
      params_id_(params.id()),
      ternary_(std::move(ternary)),
      ntt_(params.ring().count() * params.n()) {
  id_ = identify(params_id_, ternary_.span());
  SecretBuffer<std::int32_t> wide(n_);
  std::copy_n(ternary_.data(), n_, wide.data());
  for (std::size_t i = 0; i < params.ring().count(); ++i) {
    u64* limb = ntt_.data() + i * n_;
    kernels::table().from_int32(limb, wide.data(), n_, params.ring().modulus(i));
    kernels::table().ntt_forward(limb, params.ring().ntt(i));
  }
}

SecretKey SecretKey::generate(const Parameters& params, const ring::Randomness& randomness) {
  SecretBuffer<std::int8_t> ternary(params.n());
  auto random = randomness.stream({ring::Purpose::secret_key});
  ring::sample_ternary(ternary.span(), random);
  return SecretKey(params, std::move(ternary));
}

SecretKey SecretKey::from_seed(const Parameters& params, const Seed& seed) {
  SecretBuffer<std::int8_t> ternary(params.n());
  ring::RandomStream random(seed, 0);
  ring::sample_ternary(ternary.span(), random);
  return SecretKey(params, std::move(ternary));
}

SecretKey SecretKey::from_coefficients(const Parameters& params, std::span<const std::int8_t> coefficients) {
  if (coefficients.size() != params.n() ||
      !std::ranges::all_of(coefficients, [](std::int8_t c) { return c >= -1 && c <= 1; }))
    fail_user("a secret key needs {} coefficients of -1, 0 or 1; {} values were given", params.n(),
              coefficients.size());
  SecretBuffer<std::int8_t> ternary(params.n());
  std::ranges::copy(coefficients, ternary.data());
  return SecretKey(params, std::move(ternary));
}

SecretBuffer<std::uint8_t> SecretKey::write() const {
  SecretBuffer<std::uint8_t> out(params_id_.size() + id_.size() + n_ / 4);
  std::ranges::copy(params_id_, out.data());
  std::ranges::copy(id_, out.data() + params_id_.size());
  pack_ternary(out.data() + params_id_.size() + id_.size(), ternary_.span());
  return out;
}

SecretKey SecretKey::read(ByteReader& in, const Parameters& params) {
  const auto params_id = in.get_bytes(params.id().size());
  if (!std::ranges::equal(params_id, params.id()))
    fail_user("{}: this secret key was made under other parameters than {}; use the key made from this plan",
              in.what(), params.id_text());
  const auto id = in.get_bytes(16);
  const auto packed = in.get_bytes(params.n() / 4);
  in.expect_end();
  SecretBuffer<std::int8_t> ternary(params.n());
  const bool valid = unpack_ternary(ternary.span(), packed.data());
  SecretKey key(params, std::move(ternary));
  if (!valid || sodium_memcmp(id.data(), key.id().data(), id.size()) != 0)
    fail_user("{}: damaged: the key's identity does not match its contents; restore it from a copy",
              in.what());
  return key;
}

SecretBuffer<std::uint8_t> SecretKey::to_file() const {
  const auto payload = write();
  SecretBuffer<std::uint8_t> file(framed_bytes(payload.size()));
  wrap_into(file.span(), FileType::secret_key, kVersion, payload.span());
  return file;
}

SecretKey SecretKey::from_file(std::span<const std::uint8_t> file, const Parameters& params,
                               const std::string& what) {
  ByteReader in(unwrap(file, FileType::secret_key, kVersion, what), what);
  return read(in, params);
}

}  // namespace velum::ckks
