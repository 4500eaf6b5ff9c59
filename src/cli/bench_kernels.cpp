#include "cli/bench_kernels.h"

#include <algorithm>
#include <random>
#include <vector>

#include "base/aligned_buffer.h"
#include "cli/bench_per_term.h"
#include "cli/common.h"
#include "ring/primes.h"
#include "ring/ring.h"

namespace velum::cli {

namespace {

using kernels::kTile;
using kernels::u64;

constexpr int kWeightMagnitude = 511;  // 10 bits
constexpr std::size_t kColumns = 128;  // of a panel, as in the engine
constexpr std::size_t kTermColumns =
    1024;  // of the per-term sums: inputs and sums stay in the first-level cache

// Seconds of one call: the best of several runs of at least 20 ms each.
template <typename Body>
double time_of(const Body& body) {
  double best = 1e9;
  body();
  for (int round = 0; round < 5; ++round) {
    const Stopwatch watch;
    std::size_t calls = 0;
    do {
      body();
      ++calls;
    } while (watch.seconds() < 0.02);
    best = std::min(best, watch.seconds() / static_cast<double>(calls));
  }
  return best;
}

AlignedBuffer<u64> random_residues(std::size_t n, u64 q) {
  std::mt19937_64 random(7);
  AlignedBuffer<u64> x(n);
  for (auto& v : x) v = random() % q;
  return x;
}

double time_digits(const kernels::Table& table, const kernels::Modulus& m) {
  constexpr std::size_t kPairs = kTerms / 2, kStride = kPairs * kDigits * 2 * kTile;
  const auto inputs = random_residues(kTerms * kColumns, m.q);
  AlignedBuffer<std::int16_t> panel(kColumns / kTile * kStride);
  std::mt19937 random(7);
  std::uniform_int_distribution<int> weight(-kWeightMagnitude, kWeightMagnitude);
  AlignedBuffer<std::int16_t> weights(kTerms * kOutputs);
  for (auto& w : weights) w = static_cast<std::int16_t>(weight(random));
  std::vector<std::uint32_t> slots(kPairs);
  for (std::size_t p = 0; p < kPairs; ++p) slots[p] = static_cast<std::uint32_t>(p);
  kernels::DigitGroup group;
  group.rows = kOutputs;
  group.pairs = kPairs;
  group.pair_slots = slots.data();
  group.weights = weights.data();
  group.run_pairs = 65535 / (2 * kWeightMagnitude);
  AlignedBuffer<u64> outputs(kOutputs * kColumns);
  std::vector<u64*> rows(kOutputs);
  for (std::size_t r = 0; r < kOutputs; ++r) rows[r] = outputs.data() + r * kColumns;
  return time_of([&] {
    for (std::size_t p = 0; p < kPairs; ++p)
      table.split_pair(panel.data() + p * kDigits * 2 * kTile, kStride, inputs.data() + 2 * p * kColumns,
                       inputs.data() + (2 * p + 1) * kColumns, kColumns, kDigits, m);
    table.digit_product(rows.data(), panel.data(), kStride, kColumns / kTile, kDigits, group, nullptr, m);
  });
}

// `add(sums, inputs, factor)` for every term. A share of the outputs suffices: each costs the same.
template <typename Add>
double per_term_rate(const kernels::Modulus& m, const Add& add) {
  constexpr std::size_t outputs = 4;
  const auto inputs = random_residues(kTerms * kTermColumns, m.q);
  AlignedBuffer<u64> sums(kTermColumns);
  std::vector<kernels::Factor> factors(kTerms * outputs);
  std::mt19937_64 random(7);
  for (auto& f : factors) f = kernels::make_factor(random() % m.q, m);
  const double seconds = time_of([&] {
    for (std::size_t o = 0; o < outputs; ++o) {
      std::fill(sums.begin(), sums.end(), 0);
      for (std::size_t k = 0; k < kTerms; ++k)
        add(sums, inputs.data() + k * kTermColumns, factors[o * kTerms + k]);
    }
  });
  return static_cast<double>(kTerms * outputs * kTermColumns) / seconds;
}

u64 bench_prime() {
  return ring::prime_near(0x1p47, ring::root_order(ring::RingType::real, kNttSize), {});
}

}  // namespace

KernelRates measure_kernels(const kernels::Table& table) {
  const auto q = bench_prime();
  const ring::Ntt ntt(ring::RingType::real, kNttSize, q);
  const auto& m = ntt.modulus();
  KernelRates rates;
  rates.variant = table.name;
  auto x = random_residues(kNttSize, q);
  rates.ntt_seconds = time_of([&] { table.ntt_forward(x.data(), ntt.tables()); });
  const auto y = random_residues(kNttSize, q);
  rates.pointwise = kNttSize / time_of([&] { table.multiply(x.data(), x.data(), y.data(), kNttSize, m); });
  rates.digit_products = static_cast<double>(kTerms * kOutputs * kColumns) / time_digits(table, m);
  rates.per_term_products = per_term_rate(m, [&](AlignedBuffer<u64>& sums, const u64* in, const auto& w) {
    table.multiply_scalar_add(sums.data(), in, w, kTermColumns, m);
  });
  return rates;
}

double measure_compiled_per_term() {
  const auto m = kernels::make_modulus(bench_prime());
  return per_term_rate(m, [&](AlignedBuffer<u64>& sums, const u64* in, const auto& w) {
    compiled_per_term(sums.span(), {in, kTermColumns}, w, m);
  });
}

}  // namespace velum::cli
