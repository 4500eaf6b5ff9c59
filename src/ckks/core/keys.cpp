#include "ckks/core/keys.h"

#include "base/error.h"
#include "ring/samplers.h"

namespace velum::ckks {

namespace {

void put_limb(ByteWriter& out, const u64* x, const Parameters& params, std::size_t modulus) {
  std::vector<std::uint8_t> packed(packed_limb_bytes(params, modulus));
  pack_limb(packed.data(), x, params, modulus);
  out.put_bytes(std::as_bytes(std::span<const std::uint8_t>(packed)));
}

void write_switch_key(ByteWriter& out, const SwitchKey& key, const Parameters& params) {
  out.put_bytes(std::as_bytes(std::span(key.seed)));
  for (const auto& b : key.b)
    for (std::size_t i = 0; i < key.limbs + params.special_count(); ++i)
      put_limb(out, b.data() + i * params.n(), params, switch_key_modulus(key, params, i));
}

void read_switch_key(SwitchKey& key, ByteReader& in, const Parameters& params) {
  const std::size_t rows = key.limbs + params.special_count();
  std::size_t expected = key.seed.size();
  for (std::size_t i = 0; i < rows; ++i)
    expected += key.digits * packed_limb_bytes(params, switch_key_modulus(key, params, i));
  if (in.remaining() < expected)
    fail_user("{}: truncated: a key of {} bytes announced, {} left; copy the file again", in.what(), expected,
              in.remaining());
  const auto seed = in.get_bytes(key.seed.size());
  std::copy(seed.begin(), seed.end(), key.seed.begin());
  for (std::size_t d = 0; d < key.digits; ++d) {
    key.b.emplace_back(rows * params.n());
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t modulus = switch_key_modulus(key, params, i);
      unpack_limb(key.b[d].data() + i * params.n(), in.get_bytes(packed_limb_bytes(params, modulus)), params,
                  modulus, in.what());
    }
  }
  expand_switch_key(key, params);
}

}  // namespace

std::size_t digit_count(std::size_t limbs, const Parameters& params) {
  const std::size_t alpha = params.special_count();
  return alpha == 0 ? 0 : (limbs + alpha - 1) / alpha;
}

std::size_t switch_key_modulus(const SwitchKey& key, const Parameters& params, std::size_t row) {
  return row < key.limbs ? row : params.limbs() + row - key.limbs;
}

void expand_switch_key(SwitchKey& key, const Parameters& params) {
  const std::size_t rows = key.limbs + params.special_count();
  key.a.clear();
  for (std::size_t d = 0; d < key.digits; ++d) {
    key.a.emplace_back(rows * params.n());
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t modulus = switch_key_modulus(key, params, i);
      ring::expand_uniform(key.a[d].data() + i * params.n(), params.n(), params.ring().modulus(modulus),
                           key.seed, std::uint64_t{d} << 16 | modulus);
    }
  }
}

std::vector<std::uint8_t> EvaluationKeys::write(const Parameters& parameters) const {
  ByteWriter out;
  out.put_bytes(std::as_bytes(std::span(params)));
  out.put_bytes(std::as_bytes(std::span(key_id)));
  out.put(static_cast<std::uint32_t>(list.relinearise_limbs));
  if (list.relinearise_limbs > 0) write_switch_key(out, relinearise, parameters);
  return out.take();
}

EvaluationKeys EvaluationKeys::read(ByteReader& in, const Parameters& parameters) {
  EvaluationKeys keys;
  const auto params = in.get_bytes(keys.params.size());
  std::copy(params.begin(), params.end(), keys.params.begin());
  if (keys.params != parameters.id())
    fail_user("{}: these keys were made under other parameters than {}; make keys from this plan", in.what(),
              parameters.id_text());
  const auto id = in.get_bytes(keys.key_id.size());
  std::copy(id.begin(), id.end(), keys.key_id.begin());
  keys.list.relinearise_limbs = in.get<std::uint32_t>();
  check_key_list(keys.list, parameters, in.what());
  if (keys.list.relinearise_limbs > 0) {
    keys.relinearise.limbs = keys.list.relinearise_limbs;
    keys.relinearise.digits = digit_count(keys.relinearise.limbs, parameters);
    read_switch_key(keys.relinearise, in, parameters);
  }
  in.expect_end();
  return keys;
}

void check_key_list(const KeyList& list, const Parameters& params, const std::string& what) {
  if (list.relinearise_limbs > params.limbs())
    fail_user("{}: a relinearisation key of {} limbs under parameters that have {}", what,
              list.relinearise_limbs, params.limbs());
  if (list.relinearise_limbs > 0 && params.special_count() == 0)
    fail_user("{}: a relinearisation key under parameters without special primes; add one to the parameters",
              what);
}

}  // namespace velum::ckks
