#include <sodium.h>

#include <cmath>

#include "base/error.h"
#include "ckks/client/client.h"
#include "ring/samplers.h"

namespace velum::ckks {

namespace {

void check_same(const Parameters& params, const SecretKey& secret) {
  if (secret.params_id() != params.id())
    fail_user("the secret key was made under other parameters than {}; use the key made from this plan",
              params.id_text());
}

// A key of `limbs` moduli and all special primes is itself a sample of the hard problem under their product.
void check_key_security(const Parameters& params, std::size_t limbs) {
  if (params.literal().security == Security::none) return;
  double bits = 0;
  for (std::size_t i = 0; i < params.ring().count(); ++i)
    if (i < limbs || i >= params.limbs()) bits += std::log2(static_cast<double>(params.ring().q(i)));
  const int limit = max_log2_qp(params.n(), params.literal().security);
  if (bits > limit)
    fail_user("a key over {:.2f} bits of moduli at ring dimension {}: at most {} for {} bits of security",
              bits, params.n(), limit, static_cast<int>(params.literal().security));
}

// limb = error - a s, NTT form, modulo modulus m; `product` is scratch.
void mask_limb(u64* limb, const u64* a, const SecretKey& secret, std::span<const std::int32_t> error,
               std::size_t m, const Parameters& params, u64* product) {
  const auto& k = kernels::table();
  const auto& modulus = params.ring().modulus(m);
  k.from_int32(limb, error.data(), params.n(), modulus);
  k.ntt_forward(limb, params.ring().ntt(m));
  k.multiply(product, a, secret.limb(m), params.n(), modulus);
  k.subtract(limb, limb, product, params.n(), modulus);
}

// Errors of one key or one ciphertext, from fresh system randomness.
class ErrorSource {
 public:
  ErrorSource() : seed_(ring::random_seed()), random_(seed_, 0) {
    sodium_memzero(seed_.data(), seed_.size());
  }
  void draw(std::span<std::int32_t> out) { ring::sample_error(out, random_); }

 private:
  Seed seed_;
  ring::RandomStream random_;
};

SwitchKey make_relinearisation_key(const Parameters& params, const SecretKey& secret, std::size_t limbs) {
  const auto& k = kernels::table();
  const std::size_t n = params.n(), alpha = params.special_count(), rows = limbs + alpha;
  SwitchKey key;
  key.limbs = limbs;
  key.digits = digit_count(limbs, params);
  key.seed = ring::random_seed();
  expand_switch_key(key, params);

  ErrorSource errors;
  SecretBuffer<std::int32_t> error(n);
  SecretBuffer<u64> product(n);
  for (std::size_t d = 0; d < key.digits; ++d) {
    errors.draw(error.span());
    key.b.emplace_back(rows * n);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t m = switch_key_modulus(key, params, i);
      const auto& modulus = params.ring().modulus(m);
      u64* limb = key.b[d].data() + i * n;
      mask_limb(limb, key.a[d].data() + i * n, secret, error.span(), m, params, product.data());
      if (i / alpha != d || i >= limbs) continue;
      // The digit's own moduli carry P s^2; P vanishes modulo the special primes, the indicator elsewhere.
      u64 p = 1;
      for (const u64 special : params.literal().special)
        p = static_cast<u64>(static_cast<kernels::u128>(p) * (special % modulus.q) % modulus.q);
      k.multiply(product.data(), secret.limb(m), secret.limb(m), n, modulus);
      k.multiply_scalar_add(limb, product.data(), kernels::make_factor(p, modulus), n, modulus);
    }
  }
  return key;
}

}  // namespace

EvaluationKeys generate_keys(const Parameters& params, const SecretKey& secret, const KeyList& list) {
  check_same(params, secret);
  check_key_list(list, params, "key list");
  EvaluationKeys keys;
  keys.params = params.id();
  keys.key_id = secret.id();
  keys.list = list;
  if (list.relinearise_limbs > 0) {
    check_key_security(params, list.relinearise_limbs);
    keys.relinearise = make_relinearisation_key(params, secret, list.relinearise_limbs);
  }
  return keys;
}

PublicKey generate_public_key(const Parameters& params, const SecretKey& secret) {
  check_same(params, secret);
  const std::size_t n = params.n(), limbs = params.limbs();
  PublicKey key;
  key.params = params.id();
  key.key_id = secret.id();
  key.seed = ring::random_seed();
  key.a = AlignedBuffer<u64>(limbs * n);
  key.b = AlignedBuffer<u64>(limbs * n);
  ErrorSource errors;
  SecretBuffer<std::int32_t> error(n);
  SecretBuffer<u64> product(n);
  errors.draw(error.span());
  for (std::size_t l = 0; l < limbs; ++l) {
    expand_limb(key.a.data() + l * n, key.seed, l, n, params.ring().modulus(l));
    mask_limb(key.b.data() + l * n, key.a.data() + l * n, secret, error.span(), l, params, product.data());
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
