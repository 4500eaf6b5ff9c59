// core/cost.h against the evaluator: a kernel table that counts its calls. And core/scratch.h against it.
#include "ckks/core/cost.h"

#include "ckks/core/scratch.h"
#include "support.h"

namespace velum::ckks::test {
namespace {

OperationCost counted;
const kernels::Table* counted_table = nullptr;

kernels::Table counting_table() {
  kernels::Table t = *counted_table;
  t.name = "counting";
  t.ntt_forward = [](u64* x, const kernels::NttTables& n) {
    ++counted.ntts;
    counted_table->ntt_forward(x, n);
  };
  t.ntt_inverse = [](u64* x, const kernels::NttTables& n) {
    ++counted.ntts;
    counted_table->ntt_inverse(x, n);
  };
  t.key_product = [](u64* o0, u64* o1, const u64* const* x, const u64* const* k0, const u64* const* k1,
                     std::size_t d, std::size_t n, const kernels::Modulus& m) {
    counted.key_products += 2 * d;
    counted_table->key_product(o0, o1, x, k0, k1, d, n, m);
  };
  t.base_sum = [](u64* out, const u64* const* y, const std::uint8_t* v, std::size_t n,
                  const kernels::BaseConversion& c, std::size_t target) {
    counted.conversions += c.sources;
    counted_table->base_sum(out, y, v, n, c, target);
  };
  t.multiply_scalar_add = [](u64* acc, const u64* a, const kernels::Factor& w, std::size_t n,
                             const kernels::Modulus& m) {
    ++counted.products;
    counted_table->multiply_scalar_add(acc, a, w, n, m);
  };
  t.subtract_multiply_scalar = [](u64* out, const u64* a, const u64* b, const kernels::Factor& w,
                                  std::size_t n, const kernels::Modulus& m) {
    ++counted.products;
    counted_table->subtract_multiply_scalar(out, a, b, w, n, m);
  };
  t.multiply_scalar = [](u64* out, const u64* a, const kernels::Factor& w, std::size_t n,
                         const kernels::Modulus& m) {
    ++counted.products;
    counted_table->multiply_scalar(out, a, w, n, m);
  };
  t.permute = [](u64* out, const u64* in, const std::uint32_t* source, std::size_t n) {
    ++counted.permutations;
    counted_table->permute(out, in, source, n);
  };
  t.square_terms = [](u64* s0, u64* s1, u64* s2, const u64* c0, const u64* c1, std::size_t n,
                      const kernels::Modulus& m) {
    counted.products += 3;
    counted_table->square_terms(s0, s1, s2, c0, c1, n, m);
  };
  return t;
}

void expect_cost(const OperationCost& expected, const char* what, std::size_t limbs, std::size_t alpha) {
  EXPECT_EQ(counted.ntts, expected.ntts) << what << " " << limbs << " " << alpha;
  EXPECT_EQ(counted.key_products, expected.key_products) << what << " " << limbs << " " << alpha;
  EXPECT_EQ(counted.conversions, expected.conversions) << what << " " << limbs << " " << alpha;
  EXPECT_EQ(counted.products, expected.products) << what << " " << limbs << " " << alpha;
  EXPECT_EQ(counted.permutations, expected.permutations) << what << " " << limbs << " " << alpha;
  counted = {};
}

TEST(Cost, MatchesTheEvaluator) {
  counted_table = &kernels::table();
  const kernels::Table counting = counting_table();
  for (const std::size_t alpha : {1u, 2u, 3u}) {
    const Parameters params(
        literal(RingType::real, 64, std::vector<double>(7, 36), std::vector<double>(alpha, 40)));
    const auto secret = SecretKey::from_seed(params, Seed{1});
    const auto keys = generate_keys(params, secret, {7, {{3, 7}}}, kRandomness);
    const ring::Rotation by(RingType::real, 64, 3);
    const Evaluator evaluator(params);
    AlignedBuffer<u64> scratch(evaluator.scratch_words(7));
    kernels::use_table(counting);
    for (std::size_t limbs = 2; limbs <= 7; ++limbs) {
      Ciphertext two(params, 2, limbs, 1), three(params, 3, limbs, 1), low(params, 2, limbs - 1, 1);
      for (std::size_t l = 0; l < limbs; ++l)
        for (std::size_t p = 0; p < 2; ++p) std::fill_n(two.view().limb(p, l), 64, p + l);
      counted = {};
      evaluator.square(three.view(), two.view());
      expect_cost(square_cost(limbs), "square", limbs, alpha);
      evaluator.relinearise(two.view(), three.view(), keys.relinearise, scratch.data());
      expect_cost(relinearise_cost(limbs, alpha), "relinearise", limbs, alpha);
      evaluator.rescale(low.view(), two.view(), scratch.data());
      expect_cost(rescale_cost(limbs), "rescale", limbs, alpha);
      evaluator.relinearise_rescale(low.view(), three.view(), keys.relinearise, scratch.data());
      expect_cost(relinearise_rescale_cost(limbs, alpha), "both", limbs, alpha);

      AlignedBuffer<u64> lifted(evaluator.decomposed_words(limbs)), sum(evaluator.extended_words(limbs));
      Ciphertext turned(params, 2, limbs, 1);
      for (Ciphertext* out : {&turned, &low}) {
        const bool rescales = out == &low;
        counted = {};
        evaluator.rotate(out->view(), two.view(), keys.rotations[0], by, scratch.data());
        expect_cost(rotate_cost(limbs, alpha, rescales), "rotate", limbs, alpha);
        const auto x = evaluator.decompose(two.view(), lifted.data(), scratch.data());
        expect_cost(decompose_cost(limbs, alpha), "decompose", limbs, alpha);
        evaluator.rotate_decomposed(out->view(), x, keys.rotations[0], by, scratch.data());
        expect_cost(rotate_decomposed_cost(limbs, alpha, rescales), "hoisted", limbs, alpha);
        evaluator.start_extended(sum.data(), two.view());
        counted = {};
        evaluator.add_rotated_extended(sum.data(), x, keys.rotations[0], by, scratch.data());
        expect_cost(add_rotated_extended_cost(limbs, alpha), "add", limbs, alpha);
        evaluator.divide_extended(out->view(), sum.data(), limbs, scratch.data());
        expect_cost(divide_extended_cost(limbs, alpha, rescales), "divide", limbs, alpha);
      }
    }
    kernels::use_table(*counted_table);
  }
}

// So many words, and behind them some that nobody is to write.
struct Fenced {
  static constexpr u64 kCanary = 0x5bd1e9955bd1e995;
  static constexpr std::size_t kFence = 64;

  explicit Fenced(std::size_t n) : words(n), memory(n + kFence) {
    std::fill_n(memory.data(), memory.size(), kCanary);
  }
  bool intact() const {
    return std::all_of(memory.data() + words, memory.data() + memory.size(),
                       [](u64 x) { return x == kCanary; });
  }
  std::size_t words;
  AlignedBuffer<u64> memory;
};

TEST(Scratch, HoldsWhatEveryOperationWrites) {
  constexpr std::size_t n = 64;
  for (const std::size_t alpha : {1u, 2u, 3u}) {
    const Parameters params(
        literal(RingType::real, n, std::vector<double>(5, 36), std::vector<double>(alpha, 40)));
    const auto secret = SecretKey::from_seed(params, Seed{1});
    const auto keys = generate_keys(params, secret, {5, {{3, 5}}}, kRandomness);
    const ring::Rotation by(RingType::real, n, 3);
    const Evaluator evaluator(params);
    for (std::size_t limbs = 2; limbs <= 5; ++limbs) {
      EXPECT_EQ(evaluator.scratch_words(limbs), scratch_words(limbs, alpha, n));
      EXPECT_EQ(evaluator.decomposed_words(limbs), decomposed_words(limbs, alpha, n));
      EXPECT_EQ(evaluator.extended_words(limbs), extended_words(limbs, alpha, n));
      Fenced scratch(scratch_words(limbs, alpha, n)), lifted(decomposed_words(limbs, alpha, n)),
          sum(extended_words(limbs, alpha, n));
      u64* work = scratch.memory.data();
      Ciphertext two(params, 2, limbs, 1), three(params, 3, limbs, 1), low(params, 2, limbs - 1, 1);
      for (std::size_t l = 0; l < limbs; ++l)
        for (std::size_t p = 0; p < 2; ++p) std::fill_n(two.view().limb(p, l), n, p + l);
      evaluator.square(three.view(), two.view());
      evaluator.relinearise_rescale(low.view(), three.view(), keys.relinearise, work);
      // The last of its words are bytes of quotients, so that no fewer words would do.
      EXPECT_NE(work[scratch.words - 1], Fenced::kCanary) << limbs << " " << alpha;
      evaluator.relinearise(two.view(), three.view(), keys.relinearise, work);
      evaluator.rescale(low.view(), two.view(), work);
      Ciphertext turned(params, 2, limbs, 1);
      for (Ciphertext* out : {&turned, &low}) {
        evaluator.rotate(out->view(), two.view(), keys.rotations[0], by, work);
        const auto x = evaluator.decompose(two.view(), lifted.memory.data(), work);
        evaluator.rotate_decomposed(out->view(), x, keys.rotations[0], by, work);
        evaluator.start_extended(sum.memory.data(), two.view());
        evaluator.add_rotated_extended(sum.memory.data(), x, keys.rotations[0], by, work);
        evaluator.divide_extended(out->view(), sum.memory.data(), limbs, work);
      }
      EXPECT_TRUE(scratch.intact() && lifted.intact() && sum.intact()) << limbs << " " << alpha;
    }
  }
}

}  // namespace
}  // namespace velum::ckks::test
