// Encoder, samplers, and whole operations on ciphertexts, as cases that can be timed.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "bench/case_list.h"
#include "ckks/client/client.h"
#include "ckks/core/cost.h"
#include "ckks/eval/evaluator.h"
#include "ring/primes.h"
#include "ring/samplers.h"

namespace velum::bench {

namespace {

using kernels::u64;

// Operations on 32-bit words of ChaCha20 a byte: 80 quarter rounds of 4 additions, 4 xors and 4 rotations,
// and 16 additions, for 64 bytes. Where no instruction rotates, two of the rotations are a shuffle and two
// three operations.
constexpr double stream_operations(bool rotate) {
  return (80 * (rotate ? 12 : 16) + 16) / 64.0;
}
constexpr double kStreamOperations = stream_operations(false);  // of the library

class SchemeCases {
 public:
  explicit SchemeCases(CaseList& list) : list_(list), cost_(list.cost()) {}

  // A butterfly of the complex transform: four products and six additions; a rotation a coefficient before or
  // after it.
  void encoder() {
    for (const std::size_t n : {8192u, 16384u}) {
      const auto size = static_cast<double>(n);
      const double operations = 10 * size / 2 * std::log2(size) + 8 * size;
      for (const bool decode : {false, true})
        list_.add(fmt::format("{}/{}", decode ? "decode" : "encode", n), "values", size, 16 * size,
                  [&](KernelCase& c) {
                    struct Data {
                      ckks::Encoder encoder;
                      std::vector<double> values, reals;
                      std::vector<std::int64_t> coefficients;
                    };
                    auto d = std::make_shared<Data>(
                        Data{ckks::Encoder(ckks::RingType::real, n), std::vector<double>(n),
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

  double expansion_operations() const {
    return stream_operations(std::string_view(list_.table().name) != "avx2");
  }

  void samplers() {
    static constexpr std::size_t n = 8192;
    list_.add("key_stream/65536", "bytes", 65536, 65536, [&](KernelCase& c) {
      auto bytes = std::make_shared<std::vector<std::uint8_t>>(65536);
      c.takes[index(Resource::mix)] = expansion_operations() * 65536;
      c.body = [bytes, t = &list_.table()] {
        t->key_stream(bytes->data(), bytes->size() / 64, ring::Seed{1}.data(), 0, 0);
      };
    });
    list_.add(fmt::format("take_below/{}", n), "candidates", n, n * (8.0 + 5), [&](KernelCase& c) {
      const auto m = kernels::make_modulus(ring::prime_near(0x1.cp36, 4 * n, {}));
      const std::size_t bytes = n * kernels::candidate_bytes(m.q);
      auto in = std::make_shared<std::vector<std::uint8_t>>(bytes + kernels::kCandidateSlack);
      ring::RandomStream(ring::Seed{1}, 0).fill(*in);
      auto x = std::make_shared<Limb>(n);
      c.body = [x, in, m, t = &list_.table()] { t->take_below(x->data(), n, in->data(), n, m); };
    });
    list_.add("secret_stream/65536", "bytes", 65536, 65536, [&](KernelCase& c) {
      auto bytes = std::make_shared<std::vector<std::uint8_t>>(65536);
      c.takes[index(Resource::cipher)] = kStreamOperations * 65536;
      c.body = [bytes] { ring::RandomStream(ring::Seed{1}, 0).fill(*bytes); };
    });
    list_.add(fmt::format("expand_uniform/{}", n), "residues", n, 8.0 * n, [&](KernelCase& c) {
      const auto m = kernels::make_modulus(ring::prime_near(0x1.cp36, 4 * n, {}));
      auto x = std::make_shared<Limb>(n);
      // Candidates of 5 bytes; those below q of 2^37 are taken.
      const double candidates = n * 0x1p37 / static_cast<double>(m.q);
      c.takes[index(Resource::mix)] = expansion_operations() * 5 * candidates;
      c.body = [x, m] { ring::expand_uniform(x->data(), n, m, ring::Seed{1}, 2); };
    });
    list_.add(fmt::format("sample_error/{}", n), "values", n, 4.0 * n, [&](KernelCase& c) {
      auto x = std::make_shared<std::vector<std::int32_t>>(n);
      c.takes[index(Resource::cipher)] = kStreamOperations * n * 42 / 8;
      c.body = [x] {
        ring::RandomStream random(ring::Seed{1}, 3);
        ring::sample_error(*x, random);
      };
    });
    list_.add(fmt::format("sample_ternary/{}", n), "values", n, 1.0 * n, [&](KernelCase& c) {
      auto x = std::make_shared<std::vector<std::int8_t>>(n);
      c.takes[index(Resource::cipher)] = kStreamOperations * n * 8;
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
    Limb scratch, lifted;
    ring::Rotation by;
    std::vector<double> values;

    Scheme(std::size_t n, std::size_t limbs)
        : params(literal(n, limbs)),
          secret(ckks::SecretKey::generate(params, ring::Randomness::system())),
          keys(ckks::generate_keys(params, secret, ckks::KeyList{limbs, {{1, limbs}}},
                                   ring::Randomness::system())),
          evaluator(params),
          encryptor(params, secret, ring::Randomness::system()),
          three(params, 3, limbs, 1),
          two(params, 2, limbs, 1),
          scratch(evaluator.scratch_words(limbs)),
          lifted(evaluator.decomposed_words(limbs)),
          by(params.ring_type(), n, 1),
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
      list_.add(label("rescale"), "ciphertexts", 1, bytes(4 * s.limbs), [&](KernelCase& c) {
        c.takes[index(Resource::product)] = switch_products(ckks::rescale_cost(s.limbs), s.n);
        c.body = [x = get(), limbs = s.limbs] {
          auto in = x->three.view();
          in.polys = 2;
          x->evaluator.rescale(x->out(limbs - 1), in, x->scratch.data());
        };
      });
      list_.add(label("relinearise"), "ciphertexts", 1, bytes(5 * s.limbs + 2 * s.limbs * (s.limbs + 1)),
                [&](KernelCase& c) {
                  c.takes[index(Resource::product)] =
                      switch_products(ckks::relinearise_cost(s.limbs, 1), s.n);
                  c.body = [x = get(), limbs = s.limbs] {
                    x->evaluator.relinearise(x->out(limbs), x->three.view(), x->keys.relinearise,
                                             x->scratch.data());
                  };
                });
      list_.add(label("relinearise_rescale"), "ciphertexts", 1,
                bytes(5 * s.limbs + 2 * s.limbs * (s.limbs + 1)), [&](KernelCase& c) {
                  c.takes[index(Resource::product)] =
                      switch_products(ckks::relinearise_rescale_cost(s.limbs, 1), s.n);
                  c.body = [x = get(), limbs = s.limbs] {
                    x->evaluator.relinearise_rescale(x->out(limbs - 1), x->three.view(), x->keys.relinearise,
                                                     x->scratch.data());
                  };
                });
      list_.add(label("rotate"), "ciphertexts", 1, bytes(4 * s.limbs + 2 * s.limbs * (s.limbs + 1)),
                [&](KernelCase& c) {
                  c.takes[index(Resource::product)] = switch_products(ckks::rotate_cost(s.limbs, 1), s.n);
                  c.body = [x = get()] {
                    x->evaluator.rotate(x->two.view(), x->two.view(), x->keys.rotations[0], x->by,
                                        x->scratch.data());
                  };
                });
      // Each rotation after the digits of the ciphertext were lifted.
      list_.add(label("rotate_hoisted"), "ciphertexts", 1, bytes(4 * s.limbs + 3 * s.limbs * (s.limbs + 1)),
                [&](KernelCase& c) {
                  c.takes[index(Resource::product)] =
                      switch_products(ckks::rotate_decomposed_cost(s.limbs, 1), s.n);
                  auto in = std::make_shared<ckks::Ciphertext>(get()->two.clone());
                  const auto digits =
                      get()->evaluator.decompose(in->view(), get()->lifted.data(), get()->scratch.data());
                  c.body = [x = get(), in, digits] {
                    x->evaluator.rotate_decomposed(x->two.view(), digits, x->keys.rotations[0], x->by,
                                                   x->scratch.data());
                  };
                });
      list_.add(label("square_relinearise_rescale"), "ciphertexts", 1,
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
      list_.add(label("encrypt"), "ciphertexts", 1, bytes(2 * s.limbs), [&](KernelCase& c) {
        const auto size = static_cast<double>(s.n), limbs = static_cast<double>(s.limbs);
        c.takes[index(Resource::product)] =
            limbs * (cost_.factor * transform_products(s.n, false) + cost_.general * size);
        c.takes[index(Resource::mix)] = expansion_operations() * size * 5 * limbs;
        c.takes[index(Resource::cipher)] = kStreamOperations * size * 42 / 8.0;
        c.takes[index(Resource::real)] = 10 * size / 2 * std::log2(size) + 8 * size;
        c.body = [x = get(), limbs = s.limbs] { (void)x->encryptor.encrypt(x->values, 0x1p22, limbs); };
      });
    }
  }

 private:
  CaseList& list_;
  const ProductCost& cost_;
};

}  // namespace

void add_scheme_cases(CaseList& list) {
  SchemeCases cases(list);
  cases.encoder();
  cases.samplers();
  cases.scheme();
}

}  // namespace velum::bench
