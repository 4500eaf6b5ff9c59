#include "ckks/core/keys.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/parallel.h"
#include "ring/automorphism.h"
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

// The bytes of a key of this size, which are there.
std::span<const std::uint8_t> take_switch_key(const SwitchKey& key, ByteReader& in,
                                              const Parameters& params) {
  const std::size_t rows = key.limbs + params.special_count();
  std::size_t expected = key.seed.size();
  for (std::size_t i = 0; i < rows; ++i)
    expected += key.digits * packed_limb_bytes(params, switch_key_modulus(key, params, i));
  if (in.remaining() < expected)
    fail_user("{}: truncated: a key of {} bytes announced, {} left; copy the file again", in.what(), expected,
              in.remaining());
  return in.get_bytes(expected);
}

void read_switch_key(SwitchKey& key, ByteReader in, const Parameters& params) {
  const std::size_t rows = key.limbs + params.special_count();
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

// A file whose keys share a seed was not made by Velum, and gives its owner's secret away.
void refuse_equal_seeds(const EvaluationKeys& keys, const std::string& what) {
  std::vector<Seed> seeds;
  if (keys.list.relinearise_limbs > 0) seeds.push_back(keys.relinearise.seed);
  for (const auto& key : keys.rotations) seeds.push_back(key.seed);
  std::ranges::sort(seeds);
  if (std::ranges::adjacent_find(seeds) != seeds.end())
    fail_user("{}: two switching keys have the same seed, which endangers the secret key; make new keys",
              what);
}

}  // namespace

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
  out.put<std::uint64_t>(list.rotations.size());
  for (const auto& r : list.rotations) {
    out.put(r.steps);
    out.put(static_cast<std::uint32_t>(r.limbs));
  }
  if (list.relinearise_limbs > 0) write_switch_key(out, relinearise, parameters);
  for (const auto& key : rotations) write_switch_key(out, key, parameters);
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
  keys.list.rotations.resize(in.count(parameters.slots(), 2 * sizeof(std::uint32_t)));
  for (auto& r : keys.list.rotations) {
    r.steps = in.get<std::uint32_t>();
    r.limbs = in.get<std::uint32_t>();
  }
  check_key_list(keys.list, parameters, in.what());
  keys.rotations.resize(keys.list.rotations.size());
  std::vector<std::pair<SwitchKey*, std::span<const std::uint8_t>>> all;
  const auto take = [&](SwitchKey& key, std::uint32_t steps, std::size_t limbs) {
    key.steps = steps;
    key.limbs = limbs;
    key.digits = digit_count(limbs, parameters.special_count());
    all.emplace_back(&key, take_switch_key(key, in, parameters));
  };
  if (keys.list.relinearise_limbs > 0) take(keys.relinearise, 0, keys.list.relinearise_limbs);
  for (std::size_t i = 0; i < keys.rotations.size(); ++i)
    take(keys.rotations[i], keys.list.rotations[i].steps, keys.list.rotations[i].limbs);
  // Unpacking and expanding is most of what a server does before it can answer one image.
  parallel_for(all.size(), [&](std::size_t i, int) {
    read_switch_key(*all[i].first, ByteReader(all[i].second, in.what()), parameters);
  });
  in.expect_end();
  refuse_equal_seeds(keys, in.what());
  return keys;
}

const SwitchKey* rotation_key(const EvaluationKeys& keys, std::int64_t steps, const Parameters& params) {
  const auto wanted = ring::normalised_steps(steps, params.slots());
  const auto found = std::ranges::lower_bound(keys.rotations, wanted, {}, &SwitchKey::steps);
  return found != keys.rotations.end() && found->steps == wanted ? &*found : nullptr;
}

std::uint64_t switch_key_bytes(std::size_t limbs, std::size_t special, std::size_t n) {
  return std::uint64_t{2} * digit_count(limbs, special) * (limbs + special) * n * sizeof(u64);
}

void check_key_list(const KeyList& list, const Parameters& params, const std::string& what) {
  if (list.relinearise_limbs > params.limbs())
    fail_user("{}: a relinearisation key of {} limbs under parameters that have {}", what,
              list.relinearise_limbs, params.limbs());
  for (std::size_t i = 0; i < list.rotations.size(); ++i) {
    const auto& r = list.rotations[i];
    if (r.steps == 0 || r.steps >= params.slots())
      fail_user("{}: a key for rotations by {} of {} slots; 1 to {} are possible", what, r.steps,
                params.slots(), params.slots() - 1);
    if (i > 0 && r.steps <= list.rotations[i - 1].steps)
      fail_user(
          "{}: a key for rotations by {} after one for {}; they are listed by increasing steps, each once",
          what, r.steps, list.rotations[i - 1].steps);
    if (r.limbs == 0 || r.limbs > params.limbs())
      fail_user("{}: a key of {} limbs for rotations by {}, under parameters that have {}", what, r.limbs,
                r.steps, params.limbs());
  }
  if (!list.empty() && params.special_count() == 0)
    fail_user("{}: a {} key under parameters without special primes; add one to the parameters", what,
              list.relinearise_limbs > 0 ? "relinearisation" : "rotation");
}

}  // namespace velum::ckks
