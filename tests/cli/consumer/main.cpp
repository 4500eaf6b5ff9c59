// A stranger's program: it sees only what was installed.
#include <cstdio>

#include "ckks/client/client.h"
#include "engine/engine.h"
#include "model/graph.h"
#include "ring/primes.h"

int main() {
  const std::uint64_t order = velum::ring::root_order(velum::ring::RingType::real, 4096);
  const auto q = velum::ring::prime_near(0x1p40, order, {});
  velum::ckks::ParametersLiteral literal;
  literal.n = 4096;
  literal.moduli = {q};
  const velum::ckks::Parameters params(literal);
  const auto secret = velum::ckks::SecretKey::generate(params);
  const velum::ckks::Encryptor encryptor(params, secret);
  const velum::ckks::Decryptor decryptor(params, secret);
  const double message[] = {0.5, -0.25};
  const auto seeded = encryptor.encrypt(message, 0x1p25, 1);
  velum::ckks::Ciphertext ciphertext(params, 2, 1, seeded.scale);
  velum::ckks::expand(ciphertext.view(), seeded, params);
  double back[2];
  decryptor.decrypt(back, ciphertext.view(), ciphertext.scale());
  std::printf("%.3f %.3f\n", back[0], back[1]);
  return velum::model::element_count({1, 2, 3}) == 6 ? 0 : 1;
}
