#include "cli/bench_kernel_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>

#include "ckks/client/client.h"
#include "ckks/core/cost.h"
#include "ckks/eval/evaluator.h"
#include "cli/bench_per_term.h"
#include "ring/base_conversion.h"
#include "ring/primes.h"
#include "ring/samplers.h"

namespace velum::cli {

namespace {

using kernels::kTile;
using kernels::Table;
using kernels::u64;
using Limb = AlignedBuffer<u64>;

constexpr int kWeightMagnitude = 511;  // 10 bits

// How many multiplications a variant needs for one product: by a constant factor (Shoup), of two variables
// (Barrett), and for a term of a sum that is reduced at its end.
struct ProductCost {
  double factor, general, term;
};
ProductCost product_cost(std::string_view variant) {
  if (variant == "avx512") return {3, 4, 2};
  if (variant == "avx2") return {4, 5, 5};
  return {3, 9, 9};
}

Limb random_limb(std::size_t n, u64 q) {
  static thread_local std::mt19937_64 random(7);
  Limb x(n);
  for (auto& v : x) v = random() % q;
  return x;
}

// A transform with its tables, over a prime of this size.
struct Transform {
  ring::Ntt ntt;
  Limb x;
  Transform(std::size_t n, double size)
      : ntt(ring::RingType::real, n, ring::prime_near(size, ring::root_order(ring::RingType::real, n), {})),
        x(random_limb(n, ntt.modulus().q)) {}
};

// The products of a transform: its butterflies, and one an element for the fold (two where a division by n
// follows).
double transform_products(std::size_t n, bool inverse) {
  const auto size = static_cast<double>(n);
  return size / 2 * std::log2(size) + (inverse ? 2 : 1) * size;
}

class Cases {
 public:
  Cases(const Table& table, const std::function<bool(const std::string&)>& wanted)
      : table_(table), cost_(product_cost(table.name)), wanted_(wanted) {}

  std::vector<KernelCase> take() { return std::move(cases_); }

  // `make` fills body and takes; it is called for wanted cases only.
  template <typename Make>
  void add(std::string name, std::string unit, double work, double bytes, const Make& make) {
    if (!wanted_(name)) return;
    KernelCase c;
    c.name = std::move(name);
    c.unit = std::move(unit);
    c.work = work;
    c.bytes = bytes;
    c.takes[index(Resource::near_bytes)] = bytes;
    make(c);
    cases_.push_back(std::move(c));
  }
  static std::size_t index(Resource r) { return static_cast<std::size_t>(r); }

  void transforms() {
    for (std::size_t log_n = 12; log_n <= 16; ++log_n) {
      const std::size_t n = std::size_t{1} << log_n;
      const auto size = static_cast<double>(n);
      for (const bool inverse : {false, true})
        add(fmt::format("ntt_{}/{}", inverse ? "inverse" : "forward", n), "butterflies",
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
    add(fmt::format("{}/{}", name, n), "residues", n, 8 * n * arrays, [&](KernelCase& c) {
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
    add(fmt::format("sum_squares/{}x{}x{}", n, sums, count), "squares", 1.0 * n * sums * count,
        8.0 * n * (2 * side * side + 3 * sums), [&](KernelCase& c) {
          struct Data {
            kernels::Modulus m;
            std::vector<Limb> limbs;
            std::vector<const u64*> inputs;
            std::vector<u64*> out;
            std::vector<std::uint32_t> begin{0}, subtracted, index;
          };
          auto d = std::make_shared<Data>();
          d->m = kernels::make_modulus(ring::prime_near(0x1p47, 4 * 8192, {}));
          for (std::size_t i = 0; i < 2 * side * side + 3 * sums; ++i)
            d->limbs.push_back(random_limb(n, d->m.q));
          for (std::size_t i = 0; i < 2 * side * side; ++i) d->inputs.push_back(d->limbs[i].data());
          for (std::size_t i = 0; i < 3 * sums; ++i) d->out.push_back(d->limbs[2 * side * side + i].data());
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
            t->sum_squares(d->out.data(), d->inputs.data(), d->inputs.data() + side * side, all, nullptr, n,
                           d->m);
          };
        });
  }

  void key_products() {
    static constexpr std::size_t n = 8192;
    for (const std::size_t digits : {1u, 3u, 8u})
      add(fmt::format("key_product/{}x{}", n, digits), "products", 2.0 * n * static_cast<double>(digits),
          8.0 * n * (3 * static_cast<double>(digits) + 2), [&](KernelCase& c) {
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
      add(fmt::format("base_convert/{}x{}to{}", n, sources, targets), "products",
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
      add(fmt::format("{}_bits/{}x{}", unpack ? "unpack" : "pack", n, kBits), "residues", n,
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

  void splits() {
    static constexpr std::size_t n = 8192;
    for (const int digits : {2, 3})
      add(fmt::format("split_pair/{}x{}", n, digits), "residues", 2 * n, 2.0 * n * (8 + 2 * digits),
          [&](KernelCase& c) {
            const auto m = kernels::make_modulus(ring::prime_near(digits == 2 ? 0x1p30 : 0x1p36, 4 * n, {}));
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
    add(digit_case_name(terms, rows, digits), "multiply-adds", t * r * kColumns,
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
          x->m = kernels::make_modulus(ring::prime_near(digits == 2 ? 0x1p30 : 0x1p36, 4 * 8192, {}));
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
              table->split_pair(x->panel.data() + p * slot, x->stride, x->inputs.data() + 2 * p * kColumns,
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

  // What libraries do: one modular multiplication a term, by `add(sums, inputs, factor, n, modulus)`. A few
  // outputs stand for all; inputs and sums stay in the first-level cache.
  template <typename Add>
  void per_term(const std::string& name, double multiplications, const Add& add_term) {
    static constexpr std::size_t kSome = 4, kColumns = 1024;
    add(name, "multiply-adds", static_cast<double>(kTerms * kSome * kColumns),
        8.0 * kColumns * kTerms * kSome * 3, [&](KernelCase& c) {
          struct Data {
            kernels::Modulus m;
            Limb inputs, sums;
            std::vector<kernels::Factor> factors;
          };
          auto d = std::make_shared<Data>();
          d->m = kernels::make_modulus(ring::prime_near(0x1p36, 4 * 8192, {}));
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

  // A butterfly of the complex transform: four products and six additions; a rotation a coefficient before or
  // after it.
  void encoder() {
    for (const std::size_t n : {8192u, 16384u}) {
      const auto size = static_cast<double>(n);
      const double operations = 10 * size / 2 * std::log2(size) + 8 * size;
      for (const bool decode : {false, true})
        add(fmt::format("{}/{}", decode ? "decode" : "encode", n), "values", size, 16 * size,
            [&](KernelCase& c) {
              struct Data {
                ckks::Encoder encoder;
                std::vector<double> values, reals;
                std::vector<std::int64_t> coefficients;
              };
              auto d =
                  std::make_shared<Data>(Data{ckks::Encoder(ckks::RingType::real, n), std::vector<double>(n),
                                              std::vector<double>(n, 1000.5), std::vector<std::int64_t>(n)});
              for (std::size_t i = 0; i < n; ++i) d->values[i] = std::sin(static_cast<double>(i));
              c.takes[index(Resource::real)] = operations;
              c.body = [d, decode] {
                if (decode)
                  d->encoder.decode(d->values, d->reals, 0x1p22);
                else
                  d->encoder.encode(d->coefficients, d->values, 0x1p22);
              };
            });
    }
  }

  // Operations on 32-bit words of ChaCha20 a byte: 80 quarter rounds of 4 additions, 4 xors and 4 rotations,
  // two of which are a shuffle and two three operations, and 16 additions, for 64 bytes.
  static constexpr double kStreamOperations = (80 * 16 + 16) / 64.0;

  void samplers() {
    static constexpr std::size_t n = 8192;
    add("key_stream/65536", "bytes", 65536, 65536, [&](KernelCase& c) {
      auto bytes = std::make_shared<std::vector<std::uint8_t>>(65536);
      c.takes[index(Resource::mix)] = kStreamOperations * 65536;
      c.body = [bytes] { ring::RandomStream(ring::Seed{1}, 0).fill(*bytes); };
    });
    add(fmt::format("expand_uniform/{}", n), "residues", n, 8.0 * n, [&](KernelCase& c) {
      const auto m = kernels::make_modulus(ring::prime_near(0x1.cp36, 4 * n, {}));
      auto x = std::make_shared<Limb>(n);
      // Candidates of 5 bytes; those below q of 2^37 are taken.
      const double candidates = n * 0x1p37 / static_cast<double>(m.q);
      c.takes[index(Resource::mix)] = kStreamOperations * 5 * candidates;
      c.body = [x, m] { ring::expand_uniform(x->data(), n, m, ring::Seed{1}, 2); };
    });
    add(fmt::format("sample_error/{}", n), "values", n, 4.0 * n, [&](KernelCase& c) {
      auto x = std::make_shared<std::vector<std::int32_t>>(n);
      c.takes[index(Resource::mix)] = kStreamOperations * n * 42 / 8;
      c.body = [x] {
        ring::RandomStream random(ring::Seed{1}, 3);
        ring::sample_error(*x, random);
      };
    });
    add(fmt::format("sample_ternary/{}", n), "values", n, 1.0 * n, [&](KernelCase& c) {
      auto x = std::make_shared<std::vector<std::int8_t>>(n);
      c.takes[index(Resource::mix)] = kStreamOperations * n * 8;
      c.body = [x] {
        ring::RandomStream random(ring::Seed{1}, 4);
        ring::sample_ternary(*x, random);
      };
    });
  }

  // Keys and a ciphertext of this many limbs of 36 to 40 bits.
  struct Scheme {
    ckks::Parameters params;
    ckks::SecretKey secret;
    ckks::EvaluationKeys keys;
    ckks::Evaluator evaluator;
    ckks::Encryptor encryptor;
    ckks::Ciphertext three, two;
    Limb scratch;
    std::vector<double> values;

    Scheme(std::size_t n, std::size_t limbs)
        : params(literal(n, limbs)),
          secret(ckks::SecretKey::generate(params)),
          keys(ckks::generate_keys(params, secret, ckks::KeyList{limbs})),
          evaluator(params),
          encryptor(params, secret),
          three(params, 3, limbs, 1),
          two(params, 2, limbs, 1),
          scratch(evaluator.scratch_words(limbs)),
          values(n, 0.5) {
      for (auto* c : {&three, &two})
        for (std::size_t p = 0; p < c->polys(); ++p)
          for (std::size_t l = 0; l < limbs; ++l) {
            const auto x = random_limb(n, params.ring().q(l));
            std::copy(x.begin(), x.end(), c->view().limb(p, l));
          }
    }
    static ckks::ParametersLiteral literal(std::size_t n, std::size_t limbs) {
      ckks::ParametersLiteral p;
      p.n = n;
      const auto order = ring::root_order(p.ring, n);
      for (std::size_t i = 0; i < limbs; ++i)
        p.moduli.push_back(ring::prime_near(limbs > 4 ? 0x1p40 : 0x1p36, order, p.moduli));
      p.special.push_back(ring::prime_near(0x1p47, order, {}));
      return p;
    }
    ckks::View out(std::size_t limbs) {
      auto v = two.view();
      v.limbs = limbs;
      return v;
    }
  };

  double switch_products(const ckks::OperationCost& cost, std::size_t n) const {
    const auto size = static_cast<double>(n);
    return static_cast<double>(cost.ntts) * cost_.factor * transform_products(n, false) +
           size * (cost_.term * static_cast<double>(cost.key_products) +
                   2 * cost_.term * static_cast<double>(cost.conversions) +
                   cost_.factor * static_cast<double>(cost.products));
  }

  void scheme() {
    struct Size {
      std::size_t n, limbs;
    };
    for (const auto& s : {Size{8192, 3}, Size{16384, 8}}) {
      std::shared_ptr<Scheme> made;  // shared by the cases of this size
      const auto get = [&] { return made ? made : made = std::make_shared<Scheme>(s.n, s.limbs); };
      const auto bytes = [&](std::size_t polys_limbs) {
        return 8.0 * static_cast<double>(s.n * polys_limbs);
      };
      const auto label = [&](const char* name) { return fmt::format("{}/{}x{}", name, s.n, s.limbs); };
      add(label("rescale"), "ciphertexts", 1, bytes(4 * s.limbs), [&](KernelCase& c) {
        c.takes[index(Resource::product)] = switch_products(ckks::rescale_cost(s.limbs), s.n);
        c.body = [x = get(), limbs = s.limbs] {
          auto in = x->three.view();
          in.polys = 2;
          x->evaluator.rescale(x->out(limbs - 1), in, x->scratch.data());
        };
      });
      add(label("relinearise"), "ciphertexts", 1, bytes(5 * s.limbs + 2 * s.limbs * (s.limbs + 1)),
          [&](KernelCase& c) {
            c.takes[index(Resource::product)] = switch_products(ckks::relinearise_cost(s.limbs, 1), s.n);
            c.body = [x = get(), limbs = s.limbs] {
              x->evaluator.relinearise(x->out(limbs), x->three.view(), x->keys.relinearise,
                                       x->scratch.data());
            };
          });
      add(label("relinearise_rescale"), "ciphertexts", 1, bytes(5 * s.limbs + 2 * s.limbs * (s.limbs + 1)),
          [&](KernelCase& c) {
            c.takes[index(Resource::product)] =
                switch_products(ckks::relinearise_rescale_cost(s.limbs, 1), s.n);
            c.body = [x = get(), limbs = s.limbs] {
              x->evaluator.relinearise_rescale(x->out(limbs - 1), x->three.view(), x->keys.relinearise,
                                               x->scratch.data());
            };
          });
      add(label("square_relinearise_rescale"), "ciphertexts", 1,
          bytes(9 * s.limbs + 2 * s.limbs * (s.limbs + 1)), [&](KernelCase& c) {
            c.takes[index(Resource::product)] =
                switch_products(ckks::relinearise_rescale_cost(s.limbs, 1), s.n) +
                cost_.general * static_cast<double>(ckks::square_cost(s.limbs).products * s.n);
            c.body = [x = get(), in = std::make_shared<ckks::Ciphertext>(get()->two.clone()),
                      limbs = s.limbs] {
              x->evaluator.square(x->three.view(), in->view());
              x->evaluator.relinearise_rescale(x->out(limbs - 1), x->three.view(), x->keys.relinearise,
                                               x->scratch.data());
            };
          });
      add(label("encrypt"), "ciphertexts", 1, bytes(2 * s.limbs), [&](KernelCase& c) {
        const auto size = static_cast<double>(s.n), limbs = static_cast<double>(s.limbs);
        c.takes[index(Resource::product)] =
            limbs * (cost_.factor * transform_products(s.n, false) + cost_.general * size);
        c.takes[index(Resource::mix)] = kStreamOperations * size * (5 * limbs + 42 / 8.0);
        c.takes[index(Resource::real)] = 10 * size / 2 * std::log2(size) + 8 * size;
        c.body = [x = get(), limbs = s.limbs] { (void)x->encryptor.encrypt(x->values, 0x1p22, limbs); };
      });
    }
  }

 private:
  const Table& table_;
  ProductCost cost_;
  const std::function<bool(const std::string&)>& wanted_;
  std::vector<KernelCase> cases_;
};

}  // namespace

std::string digit_case_name(std::size_t terms, std::size_t rows, int digits) {
  return fmt::format("digit_product/{}x{}x{}", terms, rows, digits);
}

std::vector<KernelCase> kernel_cases(const Table& table,
                                     const std::function<bool(const std::string&)>& wanted) {
  Cases cases(table, wanted);
  cases.transforms();
  cases.all_pointwise();
  cases.square_sums();
  cases.key_products();
  cases.base_conversions();
  cases.splits();
  cases.digit_products();
  cases.per_term();
  cases.wire();
  cases.encoder();
  cases.samplers();
  cases.scheme();
  return cases.take();
}

}  // namespace velum::cli
