// The plan's memory figure is a promise: the peak resident memory of a run stays within 10 % of it, whole or
// tiled.
#include <gtest/gtest.h>

#include "base/parallel.h"
#include "ckks/client/client.h"
#include "engine/engine.h"
#include "model/execute.h"
#include "plan/passes.h"
#include "support/graphs.h"
#include "system/memory.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VELUM_SANITIZED 1
#endif

namespace velum::test {
namespace {

using namespace model;

// Feature maps that dwarf the program itself: about 4 MiB a row of the first convolution.
Graph wide_network() {
  GraphBuilder b({1, 28, 28});
  const auto x = b.quadratic(b.convolution(b.input(), same_padded(6), 1), {6, 1, 1});
  const auto y = b.quadratic(
      b.convolution(x, {.outputs = 2, .kernel_h = 3, .kernel_w = 3, .stride_h = 3, .stride_w = 3}, 6),
      {2, 1, 1});
  auto g = b.finish(b.dense(b.flatten(y, 2 * 9 * 9), 2 * 9 * 9, 4));
  const std::vector<float> image(28 * 28, 0.5F);
  calibrate(g, image, 1, 1.0);
  return g;
}

// One ciphertext, read again and again: the batch itself takes no memory, as when it is streamed from a file.
class RepeatedInput : public engine::InputSource {
 public:
  RepeatedInput(const ckks::SeededCiphertext& c, const ckks::Parameters& params, std::size_t count)
      : ciphertext_(c), params_(params), count_(count) {}
  std::size_t count() const override { return count_; }
  void read(std::size_t, ckks::View out) const override { ckks::expand(out, ciphertext_, params_); }
  void read_limb(std::size_t, std::size_t l, ckks::u64* c0, ckks::u64* c1) const override {
    std::copy_n(ciphertext_.c0.data() + l * params_.n(), params_.n(), c0);
    ckks::expand_limb(c1, ciphertext_.seed, l, params_.n(), params_.ring().modulus(l));
  }

 private:
  const ckks::SeededCiphertext& ciphertext_;
  const ckks::Parameters& params_;
  std::size_t count_;
};

std::uint64_t measured_peak(const plan::ServerPlan& plan) {
  const ckks::Parameters params(plan.client.params);
  const auto secret = ckks::SecretKey::generate(params, ring::Randomness::system());
  const auto keys = ckks::generate_keys(params, secret, plan.client.keys, ring::Randomness::system());
  const std::vector<double> slots(params.slots(), 0.5);
  const auto one = ckks::Encryptor(params, secret, ring::Randomness::system())
                       .encrypt(slots, plan.client.input_scale, plan.client.input_limbs);
  const RepeatedInput input(one, params, plan::input_ciphertexts(plan.client));
  reset_peak_rss();
  (void)engine::Engine(plan, params, keys).run(input);
  return peak_rss_bytes();
}

void expect_within_ten_percent(const plan::ServerPlan& plan) {
  const auto measured = static_cast<double>(measured_peak(plan));
  const auto promised = static_cast<double>(plan.peak_bytes);
  EXPECT_LE(measured, 1.10 * promised);
  EXPECT_GE(measured, 0.90 * promised);
}

TEST(Memory, StaysWithinThePlansFigure) {
#ifdef VELUM_SANITIZED
  GTEST_SKIP() << "sanitizers take memory of their own";
#endif
  const auto g = wide_network();
  plan::Request request;
  request.threads = 2;
  use_threads(2);
  request.memory_bytes = std::uint64_t{16} << 30;
  const auto whole = plan::make_plan(g, request).plan;
  ASSERT_GT(whole.peak_bytes, std::uint64_t{300} << 20);
  expect_within_ten_percent(whole);
  request.memory_bytes = whole.peak_bytes * 6 / 10;
  const auto tiled = plan::make_plan(g, request).plan;
  EXPECT_LE(tiled.peak_bytes, request.memory_bytes);
  expect_within_ten_percent(tiled);
  use_threads(0);
}

}  // namespace
}  // namespace velum::test
