// Run under valgrind, with every kernel variant that it can run: the secrets are declared undefined, so that
// a branch or an address that depends on them is reported as an error. Without valgrind it does nothing of
// interest.
//
// Covered: drawing of secrets and errors, key generation, the writing of keys, encryption and decryption up
// to the decoded values. Not covered: the messages (encoding refuses values that do not fit, and so looks at
// them).
#include <valgrind/memcheck.h>

#include <cmath>
#include <cstdio>
#include <vector>

#include "ckks/client/client.h"
#include "ring/primes.h"
#include "ring/samplers.h"

namespace {

using namespace velum;
using namespace velum::ckks;

Parameters small_parameters() {
  ParametersLiteral p;
  p.n = 256;
  p.security = Security::none;
  std::vector<u64> taken;
  for (const double bits : {30.0, 36.0, 47.8, 47.9})
    taken.push_back(ring::prime_near(std::exp2(bits), ring::root_order(p.ring, p.n), taken));
  p.special = {taken.back()};
  taken.pop_back();
  p.moduli = taken;
  return Parameters(p);
}

// Otherwise the check would be blind.
bool is_undefined(const void* p) {
  std::uint8_t bits[4] = {};
  return !RUNNING_ON_VALGRIND ||
         (VALGRIND_GET_VBITS(p, bits, 4) == 1 && (bits[0] | bits[1] | bits[2] | bits[3]) != 0);
}

bool run(const Parameters& params) {
  Seed seed{};
  VALGRIND_MAKE_MEM_UNDEFINED(seed.data(), seed.size());
  ring::RandomStream random(seed, 1);
  SecretBuffer<std::int32_t> error(params.n());
  ring::sample_error(error.span(), random);

  const auto secret = SecretKey::from_seed(params, seed);
  const auto file = secret.write();
  const auto keys = generate_keys(params, secret, {params.limbs(), {{1, 2}, {255, params.limbs()}}},
                                  ring::Randomness::system());
  const auto public_key = generate_public_key(params, secret, ring::Randomness::system());
  auto seeded = Encryptor(params, secret, ring::Randomness::system())
                    .encrypt(std::vector<double>(params.slots(), 0.5), 0x1p25, params.limbs());

  // Ciphertexts are public; the secret is not.
  VALGRIND_MAKE_MEM_DEFINED(seeded.c0.data(), seeded.c0.size() * sizeof(u64));
  Ciphertext c(params, 2, params.limbs(), seeded.scale);
  expand(c.view(), seeded, params);
  std::vector<double> values(params.slots());
  Decryptor(params, secret).decrypt(values, c.view(), c.scale());
  return is_undefined(error.data()) && is_undefined(secret.limb(0)) && is_undefined(values.data()) &&
         is_undefined(keys.relinearise.b[0].data()) && is_undefined(keys.rotations[0].b[0].data()) &&
         is_undefined(keys.rotations[1].b[0].data()) && is_undefined(public_key.b.data()) &&
         is_undefined(file.data() + 32);
}

}  // namespace

int main() {
  const Parameters params = small_parameters();
  bool seen = true;
  for (const kernels::Table* t : kernels::available_tables()) {
    kernels::use_table(*t);
    seen = run(params) && seen;
    std::printf("%s: no secret-dependent branch or address\n", t->name);
  }
  if (!seen) std::puts("the check saw no secret");
  return seen ? 0 : 1;
}
