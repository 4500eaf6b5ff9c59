#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"
#include "ckks/client/client.h"
#include "ring/samplers.h"

namespace velum::ckks {

namespace {

void check_limbs(const Parameters& params, std::size_t limbs) {
  if (limbs < 1 || limbs > params.limbs())
    fail_user("encrypt: {} limbs asked, these parameters have 1 to {}", limbs, params.limbs());
}

// Slots reach Q/2 at most, or they wrap around unseen.
void check_room(const Parameters& params, std::span<const double> values, double scale, std::size_t limbs) {
  const double log2_q = log2_product(std::span(params.literal().moduli).first(limbs));
  double largest = 0;
  for (const double v : values) largest = std::max(largest, std::abs(v));
  if (largest > 0 && std::log2(largest) + std::log2(scale) > log2_q - 2)
    fail_user("encrypt: a value of magnitude {:.6g} at scale 2^{:.2f} does not fit {} limbs of {:.2f} bits",
              largest, std::log2(scale), limbs, log2_q);
}

SecretBuffer<std::int32_t> draw_error(const ring::Randomness& randomness, const ring::Draw& draw,
                                      std::size_t n) {
  SecretBuffer<std::int32_t> error(n);
  auto random = randomness.stream(draw);
  ring::sample_error(error.span(), random);
  return error;
}

}  // namespace

Encryptor::Encryptor(const Parameters& params, const SecretKey& secret, ring::Randomness randomness)
    : params_(params),
      secret_(secret),
      randomness_(std::move(randomness)),
      encoder_(params.ring_type(), params.n()) {
  if (secret.params_id() != params.id())
    fail_user(
        "encrypt: the secret key was made under other parameters than {}; use the key made from this plan",
        params.id_text());
}

SeededCiphertext Encryptor::encrypt(std::span<const double> values, double scale, std::size_t limbs) const {
  check_limbs(params_, limbs);
  const std::size_t n = params_.n();
  const auto& k = kernels::table();
  SecretBuffer<std::int64_t> message(n);
  encoder_.encode(message.span(), values, scale);
  check_room(params_, values, scale, limbs);
  const auto error = draw_error(randomness_, {ring::Purpose::ciphertext_error}, n);
  for (std::size_t i = 0; i < n; ++i) message[i] += error[i];

  SeededCiphertext out;
  out.limbs = limbs;
  out.scale = scale;
  out.seed = randomness_.seed({ring::Purpose::ciphertext_uniform});
  out.c0 = AlignedBuffer<u64>(limbs * n);
  SecretBuffer<u64> product(n);
  for (std::size_t l = 0; l < limbs; ++l) {
    const auto& m = params_.ring().modulus(l);
    u64* c0 = out.c0.data() + l * n;
    k.from_int64(c0, message.data(), n, m);
    k.ntt_forward(c0, params_.ring().ntt(l));
    expand_limb(product.data(), out.seed, l, n, m);
    k.multiply(product.data(), product.data(), secret_.limb(l), n, m);
    k.subtract(c0, c0, product.data(), n, m);
  }
  return out;
}

// c0 = b u + e0 + m, c1 = a u + e1 with u ternary.
Ciphertext encrypt_public(const Parameters& params, const PublicKey& key, const Encoder& encoder,
                          std::span<const double> values, double scale, std::size_t limbs,
                          const ring::Randomness& randomness) {
  check_limbs(params, limbs);
  if (key.params != params.id())
    fail_user(
        "encrypt: the public key was made under other parameters than {}; use the key made from this plan",
        params.id_text());
  const std::size_t n = params.n();
  const auto& k = kernels::table();
  SecretBuffer<std::int64_t> message(n);
  encoder.encode(message.span(), values, scale);
  check_room(params, values, scale, limbs);
  SecretBuffer<std::int8_t> ternary(n);
  auto random = randomness.stream({ring::Purpose::mask});
  ring::sample_ternary(ternary.span(), random);
  SecretBuffer<std::int32_t> u(n);
  std::copy_n(ternary.data(), n, u.data());
  const auto e0 = draw_error(randomness, {ring::Purpose::mask_error, 0}, n);
  for (std::size_t i = 0; i < n; ++i) message[i] += e0[i];
  const auto e1 = draw_error(randomness, {ring::Purpose::mask_error, 1}, n);

  Ciphertext out(params, 2, limbs, scale);
  const View c = out.view();
  SecretBuffer<u64> u_ntt(n);
  for (std::size_t l = 0; l < limbs; ++l) {
    const auto& m = params.ring().modulus(l);
    const auto& t = params.ring().ntt(l);
    k.from_int32(u_ntt.data(), u.data(), n, m);
    k.ntt_forward(u_ntt.data(), t);
    k.from_int64(c.limb(0, l), message.data(), n, m);
    k.ntt_forward(c.limb(0, l), t);
    k.multiply_add(c.limb(0, l), key.b.data() + l * n, u_ntt.data(), n, m);
    k.from_int32(c.limb(1, l), e1.data(), n, m);
    k.ntt_forward(c.limb(1, l), t);
    k.multiply_add(c.limb(1, l), key.a.data() + l * n, u_ntt.data(), n, m);
  }
  return out;
}

}  // namespace velum::ckks
