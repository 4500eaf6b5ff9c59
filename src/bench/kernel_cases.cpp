#include "bench/kernel_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "bench/case_list.h"
#include "bench/per_term.h"
#include "ring/automorphism.h"
#include "ring/base_conversion.h"
#include "ring/primes.h"

namespace velum::bench {

namespace {

using kernels::kTile;
using kernels::Table;
using kernels::u64;

constexpr int kWeightMagnitude = 511;  // 10 bits

// A transform with its tables, over a prime of this size.
struct Transform {
  ring::Ntt ntt;
  Limb x;
  Transform(std::size_t n, double size)
      : ntt(ring::RingType::real, n, ring::prime_near(size, ring::root_order(ring::RingType::real, n), {})),
        x(random_limb(n, ntt.modulus().q)) {}
};

class KernelCases {
 public:
  explicit KernelCases(CaseList& list) : list_(list), table_(list.table()), cost_(list.cost()) {}

  void transforms() {
    for (std::size_t log_n = 12; log_n <= 16; ++log_n) {
      const std::size_t n = std::size_t{1} << log_n;
      const auto size = static_cast<double>(n);
      for (const bool inverse : {false, true})
        list_.add(fmt::format("ntt_{}/{}", inverse ? "inverse" : "forward", n), "butterflies",
                  size / 2 * static_cast<double>(log_n), 16 * size, [&](KernelCase& c) {
                    const auto t = std::make_shared<Transform>(n, 0x1p47);
                    const auto f = inverse ? table_.ntt_inverse : table_.ntt_forward;
                    c.takes[index(Resource::product)] = cost_.factor * transform_products(n, inverse);
                    c.body = [t, f] { f(t->x.data(), t->ntt.tables()); };
                  });
    }
  }

  // `f(table, out, a, b, n, modulus, factor)` on limbs of 8192; `arrays` are touched, `products` done a
  // residue.
  template <typename F>
  void pointwise(const std::string& name, double arrays, double products, F f) {
    static constexpr std::size_t n = 8192;
    list_.add(fmt::format("{}/{}", name, n), "residues", n, 8 * n * arrays, [&](KernelCase& c) {
      struct Data {
        kernels::Modulus m;
        kernels::Factor w;
        Limb out, a, b;
      };
      const auto m = kernels::make_modulus(ring::prime_near(0x1p47, 4 * n, {}));
      auto d = std::make_shared<Data>(Data{m, kernels::make_factor(m.q / 3, m), random_limb(n, m.q),
                                           random_limb(n, m.q), random_limb(n, m.q)});
      c.takes[index(Resource::product)] = products * n;
      c.body = [d, f, t = &table_] { f(*t, d->out.data(), d->a.data(), d->b.data(), n, d->m, d->w); };
    });
  }
  void all_pointwise() {
    using M = kernels::Modulus;
    using F = kernels::Factor;
    pointwise("add", 3, 0, [](auto& t, u64* o, u64* a, u64* b, std::size_t n, const M& m, const F&) {
      t.add(o, a, b, n, m);
    });
    pointwise("multiply", 3, cost_.general,
              [](auto& t, u64* o, u64* a, u64* b, std::size_t n, const M& m, const F&) {
                t.multiply(o, a, b, n, m);
              });
    pointwise("multiply_add", 4, cost_.general,
              [](auto& t, u64* o, u64* a, u64* b, std::size_t n, const M& m, const F&) {
                t.multiply_add(o, a, b, n, m);
              });
    pointwise("multiply_scalar_add", 3, cost_.factor,
              [](auto& t, u64* o, u64* a, u64*, std::size_t n, const M& m, const F& w) {
                t.multiply_scalar_add(o, a, w, n, m);
              });
    pointwise("subtract_multiply_scalar", 3, cost_.factor,
              [](auto& t, u64* o, u64* a, u64* b, std::size_t n, const M& m, const F& w) {
                t.subtract_multiply_scalar(o, a, b, w, n, m);
              });
    // In place on three arrays, two of them read: five passes.
    pointwise("square_terms", 5, 3 * cost_.general,
              [](auto& t, u64* o, u64* a, u64* b, std::size_t n, const M& m, const F&) {
                t.square_terms(o, a, b, a, b, n, m);
              });
  }

  // Windows of 5 by 5, every second position of a map of 16 by 16, in a slice of 256 columns.
  void square_sums() {
    static constexpr std::size_t n = 256, side = 16, window = 5, stride = 2, positions = 6;
    static constexpr std::size_t sums = positions * positions, count = window * window;
    list_.add(fmt::format("sum_squares/{}x{}x{}", n, sums, count), "squares", 1.0 * n * sums * count,
              8.0 * n * (2 * side * side + 3 * sums), [&](KernelCase& c) {
                struct Data {
                  kernels::Modulus m;
                  std::vector<Limb> limbs;
                  std::vector<const u64*> inputs;
                  std::vector<u64*> out;
                  std::vector<std::uint32_t> begin{0}, subtracted, index;
                };
                auto d = std::make_shared<Data>();
                d->m = kernels::make_modulus(
                    ring::prime_near(0x1p47, ring::root_order(ring::RingType::real, 8192), {}));
                for (std::size_t i = 0; i < 2 * side * side + 3 * sums; ++i)
                  d->limbs.push_back(random_limb(n, d->m.q));
                for (std::size_t i = 0; i < 2 * side * side; ++i) d->inputs.push_back(d->limbs[i].data());
                for (std::size_t i = 0; i < 3 * sums; ++i)
                  d->out.push_back(d->limbs[2 * side * side + i].data());
                for (std::size_t t = 0; t < sums; ++t) {
                  const std::size_t y = t / positions * stride, x = t % positions * stride;
                  for (std::size_t k = 0; k < count; ++k)
                    d->index.push_back(static_cast<std::uint32_t>((y + k / window) * side + x + k % window));
                  d->begin.push_back(static_cast<std::uint32_t>(d->index.size()));
                  d->subtracted.push_back(d->begin.back());
                }
                c.takes[index(Resource::product)] = c.work * 3 * cost_.term;
                c.body = [d, t = &table_] {
                  const kernels::SquareSums all{.sums = sums,
                                                .inputs = side * side,
                                                .begin = d->begin.data(),
                                                .subtracted = d->subtracted.data(),
                                                .index = d->index.data()};
                  t->sum_squares(d->out.data(), d->inputs.data(), d->inputs.data() + side * side, all,
                                 nullptr, n, d->m);
                };
              });
  }

  void permutations() {
    static constexpr std::size_t n = 8192;
    list_.add(fmt::format("permute/{}", n), "residues", n, n * (8 + 8 + 4), [&](KernelCase& c) {
      const auto by = std::make_shared<ring::Rotation>(ring::RingType::real, n, 5);
      const auto x = std::make_shared<Limb>(random_limb(2 * n, u64{1} << 47));
      c.body = [by, x, t = &table_] { t->permute(x->data() + n, x->data(), by->source().data(), n); };
    });
  }

  // One run of columns with weights of its own: of a ring of 32768 with 64 blocks, and with 512.
  void run_products() {
    static constexpr std::size_t kRows = 96, kInputs = 576;
    for (const std::size_t columns : {512u, 64u})
      list_.add(fmt::format("run_product/{}x{}x{}", kInputs, kRows, columns), "multiply-adds",
                static_cast<double>(kRows * kInputs * columns),
                8.0 * static_cast<double>(kInputs * columns + kRows * columns + kRows * kInputs),
                [&](KernelCase& c) {
                  struct Data {
                    kernels::Modulus m;
                    Limb inputs, outputs, weights;
                    std::vector<const u64*> x;
                    std::vector<u64*> out;
                  };
                  auto d = std::make_shared<Data>();
                  d->m = kernels::make_modulus(
                      ring::prime_near(0x1p40, ring::root_order(ring::RingType::real, 32768), {}));
                  d->inputs = random_limb(kInputs * columns, d->m.q);
                  d->outputs = Limb(kRows * columns);
                  d->weights = random_limb(kRows * kInputs, d->m.q);
                  for (std::size_t k = 0; k < kInputs; ++k) d->x.push_back(d->inputs.data() + k * columns);
                  for (std::size_t r = 0; r < kRows; ++r) d->out.push_back(d->outputs.data() + r * columns);
                  c.takes[index(Resource::product)] = c.work * cost_.long_term;
                  c.body = [d, columns, t = &table_] {
                    t->run_product(d->out.data(), d->x.data(), {kRows, kInputs, d->weights.data()}, 0,
                                   columns, false, d->m);
                  };
                });
  }

  void key_products() {
    static constexpr std::size_t n = 8192;
    for (const std::size_t digits : {1u, 3u, 8u})
      list_.add(fmt::format("key_product/{}x{}", n, digits), "products",
                2.0 * n * static_cast<double>(digits), 8.0 * n * (3 * static_cast<double>(digits) + 2),
                [&](KernelCase& c) {
                  struct Data {
                    kernels::Modulus m;
                    std::vector<Limb> limbs;
                    std::vector<const u64*> x, b, a;
                  };
                  auto d = std::make_shared<Data>();
                  d->m = kernels::make_modulus(ring::prime_near(0x1p47, 4 * n, {}));
                  for (std::size_t i = 0; i < 3 * digits + 2; ++i) d->limbs.push_back(random_limb(n, d->m.q));
                  for (std::size_t i = 0; i < digits; ++i) {
                    d->x.push_back(d->limbs[3 * i].data());
                    d->b.push_back(d->limbs[3 * i + 1].data());
                    d->a.push_back(d->limbs[3 * i + 2].data());
                  }
                  c.takes[index(Resource::product)] = c.work * cost_.term;
                  c.body = [d, digits, t = &table_] {
                    t->key_product(d->limbs[3 * digits].data(), d->limbs[3 * digits + 1].data(), d->x.data(),
                                   d->b.data(), d->a.data(), digits, n, d->m);
                  };
                });
  }

  void base_conversions() {
    static constexpr std::size_t n = 8192;
    for (const auto& [sources, targets] : {std::pair{1, 4}, std::pair{2, 6}})
      list_.add(
          fmt::format("base_convert/{}x{}to{}", n, sources, targets), "products",
          static_cast<double>(n) * sources * targets, 8.0 * n * (sources + targets),
          [&, k = sources, l = targets](KernelCase& c) {
            struct Data {
              ring::BaseConversion conversion;
              std::vector<Limb> limbs;
              std::vector<const u64*> in;
              std::vector<u64*> y, out;
              std::vector<std::uint8_t> quotient;
            };
            std::vector<u64> primes;
            primes.reserve(static_cast<std::size_t>(k) + static_cast<std::size_t>(l));
            for (int i = 0; i < k + l; ++i)
              primes.push_back(ring::prime_near(0x1p46, ring::root_order(ring::RingType::real, n), primes));
            const ring::Ring ring(ring::RingType::real, n, primes);
            std::vector<std::size_t> from, to;
            for (int i = 0; i < k; ++i) from.push_back(static_cast<std::size_t>(i));
            for (int i = k; i < k + l; ++i) to.push_back(static_cast<std::size_t>(i));
            auto d = std::make_shared<Data>(
                Data{ring::BaseConversion(ring, from, to), {}, {}, {}, {}, std::vector<std::uint8_t>(n)});
            for (int i = 0; i < 2 * k + l; ++i)
              d->limbs.push_back(random_limb(n, primes[static_cast<std::size_t>(i % (k + l))]));
            for (const auto i : from) d->in.push_back(d->limbs[i].data());
            for (const auto i : to) d->out.push_back(d->limbs[i].data());
            for (int i = k + l; i < 2 * k + l; ++i)
              d->y.push_back(d->limbs[static_cast<std::size_t>(i)].data());
            // Sources are scaled by a factor, then every target sums over them and the rounded quotient.
            c.takes[index(Resource::product)] = n * (cost_.factor * k + cost_.term * l * (k + 1));
            c.body = [d, t = &table_] {
              const auto view = d->conversion.view();
              t->base_scale(d->y.data(), d->quotient.data(), d->in.data(), n, view);
              for (std::size_t j = 0; j < view.targets; ++j)
                t->base_sum(d->out[j], d->y.data(), d->quotient.data(), n, view, j);
            };
          });
  }

  void wire() {
    static constexpr std::size_t n = 8192;
    static constexpr int kBits = 36;
    for (const bool unpack : {false, true})
      list_.add(fmt::format("{}_bits/{}x{}", unpack ? "unpack" : "pack", n, kBits), "residues", n,
                n * (8 + kBits / 8.0), [&](KernelCase& c) {
                  auto x = std::make_shared<Limb>(random_limb(n, u64{1} << kBits));
                  auto packed = std::make_shared<AlignedBuffer<std::uint8_t>>(n * kBits / 8);
                  table_.pack_bits(packed->data(), x->data(), n, kBits);
                  c.body = [x, packed, unpack, t = &table_] {
                    if (unpack)
                      t->unpack_bits(x->data(), packed->data(), n, kBits);
                    else
                      t->pack_bits(packed->data(), x->data(), n, kBits);
                  };
                });
  }

  // Tags of records. A round mixes eight times, by 6 additions, 4 xors and 4 rotations of 64-bit words (two
  // of 32 bits in vectors), one of which takes three operations where no instruction rotates.
  void hashes() {
    static constexpr std::size_t kBytes = 16384, lanes = kernels::kHashLanes;
    list_.add(fmt::format("hash_blocks/{}x{}", lanes, kBytes), "bytes", lanes * kBytes, lanes * kBytes,
              [&](KernelCase& c) {
                auto in = std::make_shared<AlignedBuffer<std::uint8_t>>(
                    AlignedBuffer<std::uint8_t>::zeroed(lanes * (kBytes + 192)));
                auto state = std::make_shared<Limb>(Limb::zeroed(8 * lanes));
                const std::string_view variant = table_.name;
                const double operations = variant == "ref" ? 14 : variant == "avx2" ? 2 * 16 : 2 * 14;
                c.takes[index(Resource::mix)] =
                    12 * 8 * operations / kernels::kHashBlock * static_cast<double>(lanes * kBytes);
                c.body = [in, state, t = &table_] {
                  const std::uint8_t* at[lanes];
                  for (std::size_t i = 0; i < lanes; ++i) at[i] = in->data() + i * (kBytes + 192);
                  t->hash_blocks(state->data(), at, kBytes / kernels::kHashBlock, kernels::kHashBlock, false);
                };
              });
  }

  void splits() {
    static constexpr std::size_t n = 8192;
    for (const int digits : {2, 3})
      list_.add(fmt::format("split_pair/{}x{}", n, digits), "residues", 2 * n, 2.0 * n * (8 + 2 * digits),
                [&](KernelCase& c) {
                  const auto m =
                      kernels::make_modulus(ring::prime_near(digits == 2 ? 0x1p30 : 0x1p36, 4 * n, {}));
                  const std::size_t stride = static_cast<std::size_t>(digits) * 2 * kTile;
                  auto a = std::make_shared<Limb>(random_limb(2 * n, m.q));
                  auto panel = std::make_shared<AlignedBuffer<std::int16_t>>(n / kTile * stride);
                  c.body = [=, t = &table_] {
                    t->split_pair(panel->data(), stride, a->data(), a->data() + n, n, digits, m);
                  };
                });
  }

  // A group with 10-bit weights over `columns` columns, its inputs split in the call or before it.
  void digit_product(std::size_t terms, std::size_t rows, int digits) {
    static constexpr std::size_t kColumns = 128;  // of a panel, as in the engine
    const auto t = static_cast<double>(terms), r = static_cast<double>(rows), d = static_cast<double>(digits);
    list_.add(digit_case_name(terms, rows, digits), "multiply-adds", t * r * kColumns,
              kColumns * (8 * t + 4 * t * d + 8 * r), [&](KernelCase& c) {
                struct Data {
                  kernels::Modulus m;
                  Limb inputs, outputs;
                  AlignedBuffer<std::int16_t> panel, weights;
                  std::vector<std::uint32_t> slots;
                  std::vector<u64*> rows;
                  kernels::DigitGroup group;
                  std::size_t stride;
                };
                auto x = std::make_shared<Data>();
                const std::size_t pairs = terms / 2, slot = static_cast<std::size_t>(digits) * 2 * kTile;
                x->m = kernels::make_modulus(ring::prime_near(
                    digits == 2 ? 0x1p30 : 0x1p36, ring::root_order(ring::RingType::real, 8192), {}));
                x->inputs = random_limb(terms * kColumns, x->m.q);
                x->outputs = Limb(rows * kColumns);
                x->stride = pairs * slot;
                x->panel = AlignedBuffer<std::int16_t>(kColumns / kTile * x->stride);
                x->weights = AlignedBuffer<std::int16_t>(terms * rows);
                std::mt19937 random(7);
                std::normal_distribution<double> weight(0, kWeightMagnitude / 3.0);
                for (auto& w : x->weights)
                  w = static_cast<std::int16_t>(
                      std::clamp(weight(random), -1.0 * kWeightMagnitude, 1.0 * kWeightMagnitude));
                for (std::size_t p = 0; p < pairs; ++p) x->slots.push_back(static_cast<std::uint32_t>(p));
                for (std::size_t o = 0; o < rows; ++o) x->rows.push_back(x->outputs.data() + o * kColumns);
                x->group.rows = rows;
                x->group.pairs = pairs;
                x->group.pair_slots = x->slots.data();
                x->group.weights = x->weights.data();
                x->group.run_pairs = 65535 / (2 * kWeightMagnitude);
                c.takes[index(Resource::dot)] = c.work * d;
                c.body = [x, digits, slot, pairs, table = &table_] {
                  for (std::size_t p = 0; p < pairs; ++p)
                    table->split_pair(x->panel.data() + p * slot, x->stride,
                                      x->inputs.data() + 2 * p * kColumns,
                                      x->inputs.data() + (2 * p + 1) * kColumns, kColumns, digits, x->m);
                  table->digit_product(x->rows.data(), x->panel.data(), x->stride, kColumns / kTile, digits,
                                       x->group, nullptr, x->m);
                };
              });
  }
  void digit_products() {
    digit_product(kTerms, kOutputs, 3);
    digit_product(kTerms, kOutputs, 2);
    digit_product(844, 100, 3);
    digit_product(256, 64, 3);
    digit_product(288, 32, 3);
    digit_product(26, 5, 3);
    digit_product(100, 10, 3);
    digit_product(16, 1, 3);
  }

  // What libraries do: one modular multiplication a term, by `list_.add(sums, inputs, factor, n, modulus)`. A
  // few outputs stand for all; inputs and sums stay in the first-level cache.
  template <typename Add>
  void per_term(const std::string& name, double multiplications, const Add& add_term) {
    static constexpr std::size_t kSome = 4, kColumns = 1024;
    list_.add(name, "multiply-adds", static_cast<double>(kTerms * kSome * kColumns),
              8.0 * kColumns * kTerms * kSome * 3, [&](KernelCase& c) {
                struct Data {
                  kernels::Modulus m;
                  Limb inputs, sums;
                  std::vector<kernels::Factor> factors;
                };
                auto d = std::make_shared<Data>();
                d->m = kernels::make_modulus(
                    ring::prime_near(0x1p36, ring::root_order(ring::RingType::real, 8192), {}));
                d->inputs = random_limb(kTerms * kColumns, d->m.q);
                d->sums = Limb(kColumns);
                std::mt19937_64 random(7);
                for (std::size_t i = 0; i < kTerms * kSome; ++i)
                  d->factors.push_back(kernels::make_factor(random() % d->m.q, d->m));
                c.takes[index(Resource::product)] = c.work * multiplications;
                c.takes[index(Resource::near_bytes)] = 0;
                c.body = [d, add_term] {
                  for (std::size_t o = 0; o < kSome; ++o) {
                    std::fill(d->sums.begin(), d->sums.end(), 0);
                    for (std::size_t k = 0; k < kTerms; ++k)
                      add_term(d->sums, d->inputs.span().subspan(k * kColumns, kColumns),
                               d->factors[o * kTerms + k], d->m);
                  }
                };
              });
  }
  void per_term() {
    per_term(kPerTermCase, cost_.factor,
             [t = &table_](Limb& sums, std::span<const u64> in, const kernels::Factor& w,
                           const kernels::Modulus& m) {
               t->multiply_scalar_add(sums.data(), in.data(), w, in.size(), m);
             });
    // Plain C++, compiled for the machine (docs/decisions/006): once, beside the plain variant.
    if (std::string_view(table_.name) == "ref")
      per_term(kCompiledPerTermCase, cost_.factor,
               [](Limb& sums, std::span<const u64> in, const kernels::Factor& w, const kernels::Modulus& m) {
                 compiled_per_term(sums.span(), in, w, m);
               });
  }

 private:
  CaseList& list_;
  const Table& table_;
  const ProductCost& cost_;
};

}  // namespace

std::string digit_case_name(std::size_t terms, std::size_t rows, int digits) {
  return fmt::format("digit_product/{}x{}x{}", terms, rows, digits);
}

std::vector<KernelCase> kernel_cases(const Table& table,
                                     const std::function<bool(const std::string&)>& wanted) {
  CaseList list(table, wanted);
  KernelCases cases(list);
  cases.transforms();
  cases.all_pointwise();
  cases.square_sums();
  cases.permutations();
  cases.key_products();
  cases.base_conversions();
  cases.splits();
  cases.digit_products();
  cases.run_products();
  cases.per_term();
  cases.wire();
  cases.hashes();
  add_scheme_cases(list);
  return list.take();
}

}  // namespace velum::bench
