// The search for parameters: what it chooses passes the check that parameters themselves make.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "plan/choose/parameters.h"
#include "plan/networks.h"

namespace velum::plan::testing {
namespace {

model::Graph chain(int squares) {
  NetworkBuilder b({6}, 61);
  for (int i = 0; i < squares; ++i) b.dense(5).quadratic(0.2f, 0.3f);
  b.dense(3);
  return b.finish();
}

std::vector<PackedStage> packed(const Network& net) {
  std::vector<PackedStage> stages;
  for (std::size_t i = 0; i < net.stages.size(); ++i) stages.push_back(pack(net, i));
  return stages;
}

void expect_sound(const ckks::ParametersLiteral& literal) {
  try {
    const ckks::Parameters params(literal);
  } catch (const Error& e) {
    ADD_FAILURE() << e.what() << " (" << literal.special.size() << " special primes)";
  }
}

Request small_rings(ckks::RingType ring) {
  auto r = fixed_request();
  r.security = ckks::Security::none;
  r.ring = ring;
  r.min_log_n = r.max_log_n = 8;
  r.precision_bits = 1;
  return r;
}

// Every size of a small set, with one to three special primes: keys need not reach the highest moduli, the
// special primes must.
TEST(ParameterSearch, PrimesOfEveryScalingAreSound) {
  std::size_t sound = 0;
  for (const auto ring : {ckks::RingType::real, ckks::RingType::standard})
    for (const int squares : {1, 2, 3, 4})
      for (const bool rescale_first : {false, true}) {
        const auto request = small_rings(ring);
        const auto net = lower(chain(squares));
        const auto stages = packed(net);
        const auto levels = assign_levels(stages, rescale_first);
        const ScaleProblem problem{net, stages, levels, ring, 256, 0, nullptr};
        for (const double values : {21., 25., 29., 33.})
          for (const double weights : {8., 11., 15.})
            for (const double input : {16., 22., 30.})
              for (std::size_t special = 1; special <= 3; ++special)
                for (const double excess : {0., 8.}) {
                  const auto scaling = assign_scales(problem, {input, weights, weights, values});
                  if (!scaling.feasible) continue;
                  const double bits =
                      ckks::largest_digit_bits(ckks::bits_of(scaling.primes), special) + excess;
                  if (bits / static_cast<double>(special) > kLargestSpecialPrime)
                    continue;  // as the search does
                  const auto literal =
                      choose_primes(scaling, levels.stages.back().limbs, special, excess, 256, request);
                  EXPECT_EQ(literal.special.size(), special);
                  expect_sound(literal);
                  ++sound;
                }
      }
  EXPECT_GT(sound, 500u);
}

// The search itself, at forced sizes: its choice, and the one beside it.
TEST(ParameterSearch, ChoicesAreSound) {
  std::size_t found = 0;
  for (const int squares : {1, 2, 4})
    for (const bool rescale_first : {false, true}) {
      const auto net = lower(chain(squares));
      const auto stages = packed(net);
      const auto levels = assign_levels(stages, rescale_first);
      for (const int values : {0, 22, 27, 32})
        for (const int weights : {0, 9, 14}) {
          if (!values && !weights) continue;
          auto request = small_rings(ckks::RingType::real);
          request.scale_bits = values;
          request.weight_bits = weights;
          const auto search = search_parameters(net, stages, levels, request);
          if (!search.problem.empty()) continue;
          ++found;
          expect_sound(search.best.literal);
          if (search.other_special) expect_sound(search.other_special->literal);
        }
    }
  EXPECT_GT(found, 10u);
}

// Where the output is far smaller than what leads to it, the moduli that hold it do not hold the sums before:
// such scales are refused, and all others leave every sum its room.
TEST(Scales, EverySumFitsTheModuliOfItsLevel) {
  NetworkBuilder b({64}, 62);
  b.dense(5);
  for (auto& w : std::get<model::Dense>(b.graph.nodes[0].op).weights) w = 0.1f;  // sums far above their terms
  b.quadratic(0.2f, 0.3f).dense(3);
  auto graph = b.finish();
  std::size_t refused = 0, feasible = 0;
  for (const double unused : {0., 1e2, 1e6})
    for (const double bound : {1e-24, 1e-18, 1e-12, 1e-6, 1.0, 1e3}) {
      graph.ranges[graph.output] = {-bound, bound, bound / 2};
      auto net = lower(graph);
      net.vectors[1].unused_bound = unused * net.vectors[1].bound;
      net.vectors[1].unused_share = 0.5;
      const auto stages = packed(net);
      for (const bool rescale_first : {false, true}) {
        const auto levels = assign_levels(stages, rescale_first);
        const ScaleProblem problem{net, stages, levels, ckks::RingType::real, 256, 0, nullptr};
        for (const double input : {16., 20., 25., 30.})
          for (const double first : {6., 10., 14.})
            for (const double values : {21., 30., 38.}) {
              const auto s = assign_scales(problem, {input, first, 10, values});
              if (!s.feasible) {
                refused += s.problem.find("do not fit the moduli") != std::string::npos ? 1 : 0;
                continue;
              }
              ++feasible;
              std::vector<double> height{0};
              for (const double q : s.primes) height.push_back(height.back() + std::log2(q));
              EXPECT_LE(input + 2, height.back() + 1e-6);
              for (std::size_t i = 0; i < stages.size(); ++i)
                EXPECT_LE(std::log2(s.stages[i].affine_scale * net.vectors[i + 1].bound) + 2,
                          height[levels.stages[i].limbs] + 1e-6)
                    << bound << ", stage " << i;
              if (unused == 0) continue;  // else sums wrap around as the squares do
              const double squares = std::pow(s.stages[0].scale, 2) * coefficient_bound(net.vectors[1], 2);
              EXPECT_LE(std::log2(squares) + 2, height[levels.stages[1].limbs] + 1e-6)
                  << bound << ", " << unused;
            }
      }
    }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(feasible, 20u);
}

}  // namespace
}  // namespace velum::plan::testing
