#include <algorithm>
#include <functional>

#include "base/container.h"
#include "base/error.h"
#include "ckks/client/client.h"
#include "ckks/client/key_security.h"
#include "ring/automorphism.h"
#include "ring/samplers.h"

namespace velum::ckks {

namespace {

constexpr std::uint32_t kPublicKeyVersion = 1;

void check_same(const Parameters& params, const SecretKey& secret) {
  if (secret.params_id() != params.id())
    fail_user("the secret key was made under other parameters than {}; use the key made from this plan",
              params.id_text());
}

// limb = error - a s, NTT form, modulo modulus m, s in NTT form; `product` is scratch.
void mask_limb(u64* limb, const u64* a, const u64* secret, std::span<const std::int32_t> error, std::size_t m,
               const Parameters& params, u64* product) {
  const auto& k = kernels::table();
  const auto& modulus = params.ring().modulus(m);
  k.from_int32(limb, error.data(), params.n(), modulus);
  k.ntt_forward(limb, params.ring().ntt(m));
  k.multiply(product, a, secret, params.n(), modulus);
  k.subtract(limb, limb, product, params.n(), modulus);
}

void draw_error(std::span<std::int32_t> out, const ring::Randomness& randomness, const ring::Draw& draw) {
  auto random = randomness.stream(draw);
  ring::sample_error(out, random);
}

// The error of a switching key's digit: no two of a list of keys are one draw.
ring::Draw digit_error(std::uint32_t steps, std::size_t digit) {
  return {ring::Purpose::switch_key_error, std::uint64_t{steps} << 16 | digit};
}

// Writes the limb of a switching key's secrets for modulus m: an image of the secret key, in NTT form.
using SecretLimb = std::function<void(u64* out, std::size_t m)>;

// A key that switches from `source` to `target` (see SwitchKey). No branch and no address depends on either.
SwitchKey make_switch_key(const Parameters& params, std::uint32_t steps, std::size_t limbs,
                          const SecretLimb& source, const SecretLimb& target,
                          const ring::Randomness& randomness) {
  check_key_security(params, limbs);
  const auto& k = kernels::table();
  const std::size_t n = params.n(), alpha = params.special_count(), rows = limbs + alpha;
  SwitchKey key;
  key.steps = steps;
  key.limbs = limbs;
  key.digits = digit_count(limbs, params.special_count());
  key.seed = randomness.seed({ring::Purpose::switch_key_uniform, steps});
  expand_switch_key(key, params);

  SecretBuffer<std::int32_t> error(n);
  SecretBuffer<u64> product(n), from(n), to(n);
  for (std::size_t d = 0; d < key.digits; ++d) {
    draw_error(error.span(), randomness, digit_error(steps, d));
    key.b.emplace_back(rows * n);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t m = switch_key_modulus(key, params, i);
      const auto& modulus = params.ring().modulus(m);
      u64* limb = key.b[d].data() + i * n;
      target(to.data(), m);
      mask_limb(limb, key.a[d].data() + i * n, to.data(), error.span(), m, params, product.data());
      if (i / alpha != d || i >= limbs) continue;
      // The digit's own moduli carry P times the source; P vanishes modulo the special primes, the indicator
      // elsewhere.
      u64 p = 1;
      for (const u64 special : params.literal().special)
        p = static_cast<u64>(static_cast<kernels::u128>(p) * (special % modulus.q) % modulus.q);
      source(from.data(), m);
      k.multiply_scalar_add(limb, from.data(), kernels::make_factor(p, modulus), n, modulus);
    }
  }
  return key;
}

SwitchKey make_relinearisation_key(const Parameters& params, const SecretKey& secret, std::size_t limbs,
                                   const ring::Randomness& randomness) {
  const std::size_t n = params.n();
  return make_switch_key(
      params, 0, limbs,
      [&](u64* out, std::size_t m) {
        kernels::table().multiply(out, secret.limb(m), secret.limb(m), n, params.ring().modulus(m));
      },
      [&](u64* out, std::size_t m) { std::copy_n(secret.limb(m), n, out); }, randomness);
}

// From s to g^-1(s), g the automorphism of the rotation: the permutation is public, and the same for every
// secret.
SwitchKey make_rotation_key(const Parameters& params, const SecretKey& secret, const RotationKeyEntry& entry,
                            const ring::Randomness& randomness) {
  const std::size_t n = params.n();
  const ring::Rotation inverse(params.ring_type(), n, -std::int64_t{entry.steps});
  return make_switch_key(
      params, entry.steps, entry.limbs, [&](u64* out, std::size_t m) { std::copy_n(secret.limb(m), n, out); },
      [&](u64* out, std::size_t m) {
        kernels::table().permute(out, secret.limb(m), inverse.source().data(), n);
      },
      randomness);
}

}  // namespace

EvaluationKeys generate_keys(const Parameters& params, const SecretKey& secret, const KeyList& list,
                             const ring::Randomness& randomness,
                             const std::function<void(double)>& progress) {
  check_same(params, secret);
  check_key_list(list, params, "key list");
  EvaluationKeys keys;
  keys.params = params.id();
  keys.key_id = secret.id();
  keys.list = list;
  if (progress) progress(0);
  if (list.relinearise_limbs > 0)
    keys.relinearise = make_relinearisation_key(params, secret, list.relinearise_limbs, randomness);
  for (const auto& entry : list.rotations) {
    if (progress)
      progress(static_cast<double>(1 + keys.rotations.size()) /
               static_cast<double>(1 + list.rotations.size()));
    keys.rotations.push_back(make_rotation_key(params, secret, entry, randomness));
  }
  if (progress) progress(1);
  return keys;
}

PublicKey generate_public_key(const Parameters& params, const SecretKey& secret,
                              const ring::Randomness& randomness) {
  check_same(params, secret);
  const std::size_t n = params.n(), limbs = params.limbs();
  PublicKey key;
  key.params = params.id();
  key.key_id = secret.id();
  key.seed = randomness.seed({ring::Purpose::public_key_uniform});
  key.a = AlignedBuffer<u64>(limbs * n);
  key.b = AlignedBuffer<u64>(limbs * n);
  SecretBuffer<std::int32_t> error(n);
  SecretBuffer<u64> product(n);
  draw_error(error.span(), randomness, {ring::Purpose::public_key_error});
  for (std::size_t l = 0; l < limbs; ++l) {
    expand_limb(key.a.data() + l * n, key.seed, l, n, params.ring().modulus(l));
    mask_limb(key.b.data() + l * n, key.a.data() + l * n, secret.limb(l), error.span(), l, params,
              product.data());
  }
  return key;
}

std::vector<std::uint8_t> PublicKey::write(const Parameters& parameters) const {
  ByteWriter out;
  out.put_bytes(std::as_bytes(std::span(params)));
  out.put_bytes(std::as_bytes(std::span(key_id)));
  out.put_bytes(std::as_bytes(std::span(seed)));
  for (std::size_t l = 0; l < parameters.limbs(); ++l) {
    std::vector<std::uint8_t> packed(packed_limb_bytes(parameters, l));
    pack_limb(packed.data(), b.data() + l * parameters.n(), parameters, l);
    out.put_bytes(std::as_bytes(std::span<const std::uint8_t>(packed)));
  }
  return out.take();
}

std::vector<std::uint8_t> PublicKey::to_file(const Parameters& parameters) const {
  return wrap(FileType::public_key, kPublicKeyVersion, write(parameters));
}

PublicKey PublicKey::from_file(std::span<const std::uint8_t> file, const Parameters& parameters,
                               const std::string& what) {
  ByteReader in(unwrap(file, FileType::public_key, kPublicKeyVersion, what), what);
  return read(in, parameters);
}

PublicKey PublicKey::read(ByteReader& in, const Parameters& parameters) {
  const std::size_t n = parameters.n();
  const auto take = [&](auto& array) {
    const auto bytes = in.get_bytes(array.size());
    std::copy(bytes.begin(), bytes.end(), array.begin());
  };
  PublicKey key;
  take(key.params);
  if (key.params != parameters.id())
    fail_user("{}: this public key was made under other parameters than {}; make one from this plan",
              in.what(), parameters.id_text());
  take(key.key_id);
  take(key.seed);
  std::size_t expected = 0;
  for (std::size_t l = 0; l < parameters.limbs(); ++l) expected += packed_limb_bytes(parameters, l);
  if (in.remaining() < expected)
    fail_user("{}: truncated: a key of {} bytes announced, {} left; copy the file again", in.what(), expected,
              in.remaining());
  key.b = AlignedBuffer<u64>(parameters.limbs() * n);
  key.a = AlignedBuffer<u64>(parameters.limbs() * n);
  for (std::size_t l = 0; l < parameters.limbs(); ++l) {
    unpack_limb(key.b.data() + l * n, in.get_bytes(packed_limb_bytes(parameters, l)), parameters, l,
                in.what());
    expand_limb(key.a.data() + l * n, key.seed, l, n, parameters.ring().modulus(l));
  }
  in.expect_end();
  return key;
}

}  // namespace velum::ckks
