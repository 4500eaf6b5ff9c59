// Rates of every kernel variant that this machine runs, one core. Names are variant/kernel/size, so that a
// JSON report
// (--benchmark_format=json) can be read by name.
//
// Counters of the digit products: MAC/s, multiply-adds of residues a second; share_of_peak, of what the
// dot-product instruction could do from registers, measured around the loop itself since clocks and
// neighbours vary; vs_per_term, the same product against one modular multiplication a term, timed in the same
// run.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <random>
#include <vector>

#include "base/aligned_buffer.h"
#include "dot_product_peak.h"
#include "kernels/table.h"

namespace {

using namespace velum::kernels;
using velum::AlignedBuffer;

constexpr u64 kPrime48 = 281466386841601;  // 3-digit work; no kernel's time depends on the value
constexpr u64 kPrime36 = 68719403009;
constexpr u64 kPrime30 = 1073479681;

AlignedBuffer<u64> random_limb(std::size_t n, u64 q) {
  static std::mt19937_64 random(1);
  AlignedBuffer<u64> x(n);
  for (u64& v : x) v = random() % q;
  return x;
}

// Processor time of this thread: other programs' turns do not count.
double now() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Any odd numbers serve as roots: the butterflies take the same time whatever they compute.
struct Transform {
  std::vector<AlignedBuffer<u64>> storage;
  NttTables tables;
  Transform(std::size_t n, u64 q) {
    const Modulus m = make_modulus(q);
    for (int i = 0; i < 3; ++i) storage.emplace_back(n);
    for (std::size_t k = 0; k < n; ++k) {
      const Factor f = make_factor((k * 0x9e3779b97f4a7c15u) % q, m);
      storage[0][k] = f.value;
      storage[1][k] = f.quotient64;
      storage[2][k] = f.quotient52;
    }
    tables.n = n;
    tables.modulus = m;
    tables.roots = tables.inverse_roots = storage[0].data();
    tables.roots_quotient64 = tables.inverse_roots_quotient64 = storage[1].data();
    tables.roots_quotient52 = tables.inverse_roots_quotient52 = storage[2].data();
    tables.n_inverse = make_factor(q / 3, m);
    tables.fold = true;
    tables.psi = make_factor(q / 5, m);
  }
};

void ntt(benchmark::State& state, const Table* t, bool inverse) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const Transform transform(n, kPrime48);
  auto x = random_limb(n, kPrime48);
  for (auto _ : state) (inverse ? t->ntt_inverse : t->ntt_forward)(x.data(), transform.tables);
  state.counters["butterflies/s"] = benchmark::Counter(static_cast<double>(n / 2) * __builtin_ctzll(n),
                                                       benchmark::Counter::kIsIterationInvariantRate);
}

// `f(table, out, a, b, n, modulus)` on limbs of 8192.
template <typename F>
void pointwise(benchmark::State& state, const Table* t, F f) {
  const std::size_t n = 8192;
  const Modulus m = make_modulus(kPrime48);
  auto a = random_limb(n, m.q), b = random_limb(n, m.q), out = random_limb(n, m.q);
  for (auto _ : state) f(*t, out.data(), a.data(), b.data(), n, m);
  state.counters["residues/s"] =
      benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate);
}

void square_terms(benchmark::State& state, const Table* t) {
  const std::size_t n = 8192;
  const Modulus m = make_modulus(kPrime48);
  auto a = random_limb(n, m.q), b = random_limb(n, m.q), s0 = random_limb(n, m.q), s1 = random_limb(n, m.q),
       s2 = random_limb(n, m.q);
  for (auto _ : state) t->square_terms(s0.data(), s1.data(), s2.data(), a.data(), b.data(), n, m);
  state.counters["residues/s"] =
      benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate);
}

void key_product(benchmark::State& state, const Table* t) {
  const std::size_t n = 8192, digits = static_cast<std::size_t>(state.range(0));
  const Modulus m = make_modulus(kPrime48);
  std::vector<AlignedBuffer<u64>> data;
  std::vector<const u64*> x, k0, k1;
  for (std::size_t i = 0; i < 3 * digits; ++i) data.push_back(random_limb(n, m.q));
  for (std::size_t i = 0; i < digits; ++i) {
    x.push_back(data[i].data());
    k0.push_back(data[digits + i].data());
    k1.push_back(data[2 * digits + i].data());
  }
  auto o0 = random_limb(n, m.q), o1 = random_limb(n, m.q);
  for (auto _ : state) t->key_product(o0.data(), o1.data(), x.data(), k0.data(), k1.data(), digits, n, m);
  state.counters["terms/s"] =
      benchmark::Counter(static_cast<double>(2 * n * digits), benchmark::Counter::kIsIterationInvariantRate);
}

void base_convert(benchmark::State& state, const Table* t) {
  const std::size_t n = 8192, sources = static_cast<std::size_t>(state.range(0)),
                    targets = static_cast<std::size_t>(state.range(1));
  const std::vector<Modulus> moduli(std::max(sources, targets), make_modulus(kPrime48));
  const std::vector<Factor> factors(sources, make_factor(kPrime48 / 7, moduli[0]));
  const std::vector<u64> punctured(sources * targets, kPrime48 / 3), product(targets, kPrime48 / 11);
  std::vector<AlignedBuffer<u64>> data;
  std::vector<const u64*> in;
  std::vector<u64*> out;
  for (std::size_t i = 0; i < sources + targets; ++i) data.push_back(random_limb(n, kPrime48));
  for (std::size_t i = 0; i < sources; ++i) in.push_back(data[i].data());
  for (std::size_t i = 0; i < targets; ++i) out.push_back(data[sources + i].data());
  const BaseConversion c{sources,       targets,          moduli.data(), factors.data(),
                         moduli.data(), punctured.data(), product.data()};
  for (auto _ : state) t->base_convert(out.data(), in.data(), n, c);
  state.counters["terms/s"] = benchmark::Counter(static_cast<double>(n * sources * targets),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

void bits(benchmark::State& state, const Table* t, bool unpack) {
  const std::size_t n = 8192;
  const int width = static_cast<int>(state.range(0));
  auto x = random_limb(n, u64{1} << width);
  AlignedBuffer<std::uint8_t> packed(n * static_cast<std::size_t>(width) / 8);
  t->pack_bits(packed.data(), x.data(), n, width);
  for (auto _ : state) {
    if (unpack) {
      t->unpack_bits(x.data(), packed.data(), n, width);
    } else {
      t->pack_bits(packed.data(), x.data(), n, width);
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(packed.size()) * state.iterations());
}

void split_pair(benchmark::State& state, const Table* t, u64 q) {
  const std::size_t n = 8192;
  const Modulus m = make_modulus(q);
  const int digits = digit_count(q);
  const std::size_t stride = static_cast<std::size_t>(digits) * 2 * kTile;
  auto a = random_limb(n, q), b = random_limb(n, q);
  AlignedBuffer<std::int16_t> panel(n / kTile * stride);
  for (auto _ : state) t->split_pair(panel.data(), stride, a.data(), b.data(), n, digits, m);
  state.counters["residues/s"] =
      benchmark::Counter(static_cast<double>(2 * n), benchmark::Counter::kIsIterationInvariantRate);
}

// One group with 10-bit weights over 512 columns, the slice that the engine takes at a time.
struct Layer {
  std::size_t terms, rows, pairs, tiles = 32;
  Modulus m;
  int digits;
  std::size_t stride;
  std::vector<AlignedBuffer<u64>> inputs, outputs;
  std::vector<u64*> out;
  AlignedBuffer<std::int16_t> panel;
  std::vector<std::int16_t> weights;
  std::vector<Factor> factors;
  std::vector<std::uint32_t> slots;
  std::vector<u64> bias;
  DigitGroup group;

  Layer(const Table& t, std::size_t terms_, std::size_t rows_, u64 q)
      : terms(terms_), rows(rows_), pairs((terms_ + 1) / 2), m(make_modulus(q)), digits(digit_count(q)) {
    const std::size_t slot = static_cast<std::size_t>(digits) * 2 * kTile, columns = tiles * kTile;
    stride = pairs * slot;
    panel = AlignedBuffer<std::int16_t>(tiles * stride);
    for (std::size_t i = 0; i < terms; ++i) inputs.push_back(random_limb(columns, q));
    for (std::size_t p = 0; p < pairs; ++p) {
      slots.push_back(static_cast<std::uint32_t>(p));
      t.split_pair(panel.data() + p * slot, stride, inputs[2 * p].data(),
                   2 * p + 1 < terms ? inputs[2 * p + 1].data() : nullptr, columns, digits, m);
    }
    std::mt19937_64 random(2);
    for (std::size_t i = 0; i < rows * pairs * 2; ++i) {
      const auto w = static_cast<std::int16_t>(static_cast<int>(random() % 1023) - 511);
      weights.push_back(w);
      factors.push_back(make_factor(w < 0 ? q - static_cast<u64>(-w) : static_cast<u64>(w), m));
    }
    for (std::size_t r = 0; r < rows; ++r) {
      outputs.push_back(random_limb(columns, q));
      out.push_back(outputs[r].data());
      bias.push_back(random() % q);
    }
    group = {rows, pairs, slots.data(), weights.data(), 32767 / 511 * 2 > pairs ? pairs : 64, false};
  }
  std::size_t columns() const { return tiles * kTile; }
  void digit_product(const Table& t) const {
    t.digit_product(out.data(), panel.data(), stride, tiles, digits, group, bias.data(), m);
  }
  void per_term_product(const Table& t) const {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t i = 0; i < terms; ++i) {
        t.multiply_scalar_add(out[r], inputs[i].data(), factors[r * terms + i], columns(), m);
      }
    }
  }
};

// Both products and the peak in turn inside every iteration: their ratios then see the same clock and
// neighbours.
void digit_product(benchmark::State& state, const Table* t, u64 q) {
  const Layer layer(*t, static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)),
                    q);
  const double terms = static_cast<double>(layer.terms * layer.rows * layer.columns());
  double product_seconds = 0, per_term_seconds = 0, ref_seconds = 0, peak_seconds = 0, peak_terms = 0,
         products = 0;
  const auto repeats = static_cast<int>(1 + 2e6 / terms * 5);
  // Per-term products are slow: a few rows stand for all.
  Layer few(*t, layer.terms, std::min<std::size_t>(layer.rows, 5), q);
  const double few_terms = static_cast<double>(few.terms * few.rows * few.columns());
  for (auto _ : state) {
    const double start = now();
    for (int i = 0; i < repeats; ++i) layer.digit_product(*t);
    const double middle = now();
    peak_terms += velum::bench::dot_product_rounds(t->name, 4096);
    const double end = now();
    few.per_term_product(*t);
    const double last = now();
    few.per_term_product(table_named("ref"));
    ref_seconds += now() - last;
    product_seconds += (middle - start) / repeats;
    peak_seconds += end - middle;
    per_term_seconds += (last - end) * terms / few_terms;
    products += 1;
    state.SetIterationTime((middle - start) / repeats);
  }
  const double rate = terms * products / product_seconds;
  state.counters["MAC/s"] = rate;
  state.counters["vs_per_term"] = per_term_seconds / product_seconds;
  state.counters["vs_ref_per_term"] = ref_seconds * terms / few_terms / product_seconds;
  // A term takes one 16-bit multiply-add for each digit.
  if (peak_terms > 0) state.counters["share_of_peak"] = rate * layer.digits / (peak_terms / peak_seconds);
  if (peak_terms > 0) state.counters["peak_MAC/s"] = peak_terms / peak_seconds / layer.digits;
}

void peak(benchmark::State& state, const Table* t) {
  double done = 0;
  for (auto _ : state) done += velum::bench::dot_product_rounds(t->name, 4096);
  state.counters["int16_MAC/s"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
}

void register_variant(const Table* t) {
  const auto add = [&](const char* kernel, auto... arguments) {
    return benchmark::RegisterBenchmark(fmt::format("{}/{}", t->name, kernel).c_str(), arguments...);
  };
  add("ntt_forward", ntt, t, false)
      ->RangeMultiplier(2)
      ->Range(1 << 12, 1 << 16)
      ->Unit(benchmark::kMicrosecond);
  add("ntt_inverse", ntt, t, true)
      ->RangeMultiplier(2)
      ->Range(1 << 12, 1 << 16)
      ->Unit(benchmark::kMicrosecond);
  const auto add_pointwise = [&](const char* kernel, auto f) {
    add(kernel, [=](benchmark::State& s) { pointwise(s, t, f); })->Unit(benchmark::kMicrosecond);
  };
  const auto w = [](const Modulus& m) { return make_factor(m.q / 3, m); };
  add_pointwise("add",
                [](auto& k, u64* o, auto* a, auto* b, std::size_t n, auto& m) { k.add(o, a, b, n, m); });
  add_pointwise("multiply",
                [](auto& k, u64* o, auto* a, auto* b, std::size_t n, auto& m) { k.multiply(o, a, b, n, m); });
  add_pointwise("multiply_add", [](auto& k, u64* o, auto* a, auto* b, std::size_t n, auto& m) {
    k.multiply_add(o, a, b, n, m);
  });
  add_pointwise("multiply_scalar_add", [=](auto& k, u64* o, auto* a, auto*, std::size_t n, auto& m) {
    k.multiply_scalar_add(o, a, w(m), n, m);
  });
  add_pointwise("subtract_multiply_scalar", [=](auto& k, u64* o, auto* a, auto* b, std::size_t n, auto& m) {
    k.subtract_multiply_scalar(o, a, b, w(m), n, m);
  });
  add("square_terms", square_terms, t)->Unit(benchmark::kMicrosecond);
  add("key_product", key_product, t)->Arg(1)->Arg(3)->Arg(8)->Unit(benchmark::kMicrosecond);
  add("base_convert", base_convert, t)->Args({1, 4})->Args({3, 8})->Unit(benchmark::kMicrosecond);
  add("pack_bits", bits, t, false)->Arg(36)->Unit(benchmark::kMicrosecond);
  add("unpack_bits", bits, t, true)->Arg(36)->Unit(benchmark::kMicrosecond);
  add("split_pair_2_digits", split_pair, t, kPrime30)->Unit(benchmark::kMicrosecond);
  add("split_pair_3_digits", split_pair, t, kPrime36)->Unit(benchmark::kMicrosecond);
  const auto layers = [](benchmark::internal::Benchmark* b) {
    b->ArgNames({"terms", "rows"})
        ->Args({845, 100})
        ->Args({25, 5})
        ->Args({100, 10})
        ->Args({288, 32})
        ->Args({9, 1});
    // Each iteration also times the peak and the per-term products: the count is fixed, not sought.
    b->UseManualTime()->Iterations(20)->Unit(benchmark::kMicrosecond);
  };
  add("digit_product_2_digits", digit_product, t, kPrime30)->Apply(layers);
  add("digit_product_3_digits", digit_product, t, kPrime36)->Apply(layers);
  if (velum::bench::dot_product_rounds(t->name, 1) > 0)
    add("dot_product_peak", peak, t)->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  for (const Table* t : available_tables()) register_variant(t);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
