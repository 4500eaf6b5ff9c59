// Plan files: round trips, damage, and plans that break a contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/container.h"
#include "base/error.h"
#include "plan/file/identity.h"
#include "plan/networks.h"

namespace velum::plan::testing {
namespace {

using ::testing::HasSubstr;

const ServerPlan& sample() {
  static const ServerPlan plan = [] {
    NetworkBuilder b({1, 6, 6}, 51);
    b.convolution(4, 3, 1, 1).varied_quadratic().flatten().dense(200).quadratic().dense(3);
    return make_plan(b.finish(), fixed_request()).plan;
  }();
  return plan;
}

TEST(PlanFile, ServerHalfReturns) {
  const auto bytes = write_server_plan(sample());
  const auto again = read_server_plan(bytes, "server.plan");
  EXPECT_EQ(write_server_plan(again), bytes);
  EXPECT_EQ(to_text(again), to_text(sample()));
  EXPECT_EQ(again.client.id, sample().client.id);
}

TEST(PlanFile, ClientHalfReturnsWithoutSecrets) {
  const auto bytes = write_client_plan(sample().client);
  const auto again = read_client_plan(bytes, "client.plan");
  EXPECT_EQ(write_client_plan(again), bytes);
  // No weight, no hidden layer: the file is parameters and the input's order.
  EXPECT_LT(bytes.size(), 36u * 4 + 500);
}

TEST(PlanFile, IdBindsThePublicHalf) {
  auto p = sample().client;
  p.output_scale *= 2;
  EXPECT_NE(plan_id(p), sample().client.id);
  EXPECT_THROW(read_client_plan(write_client_plan(p), "client.plan"), Error);
}

TEST(PlanFile, StatisticsTravelWithTheClientHalf) {
  auto p = sample();
  ASSERT_EQ(p.client.statistics, model::InputStatistics{});
  auto& s = p.client.statistics;
  s.images = 100;
  s.mean.assign(36, 12);
  s.deviation.assign(36, 3);
  s.limits[1] = {-2, 70};
  seal_plan(p);
  EXPECT_EQ(read_client_plan(write_client_plan(p.client), "client.plan").statistics, s);
  EXPECT_EQ(read_server_plan(write_server_plan(p), "server.plan").client.statistics, s);
  s.mean.pop_back();
  seal_plan(p);
  EXPECT_THROW(read_client_plan(write_client_plan(p.client), "client.plan"), Error);
}

TEST(PlanFile, IdBindsTheServerHalf) {
  const std::vector<std::function<void(ServerPlan&)>> changes = {
      [](auto& p) { p.steps[0].weights[0] ^= 1; },
      [](auto& p) { p.steps[0].bias[0] += 1e-9; },
      [](auto& p) { p.values[1].name += "x"; },
      [](auto& p) { std::swap(p.tasks[0].group_begin, p.tasks[0].group_end); },
  };
  for (const auto& change : changes) {
    auto p = sample();
    change(p);
    auto sealed = p;
    seal_plan(sealed);
    EXPECT_NE(sealed.client.id, sample().client.id);
    EXPECT_THROW(read_server_plan(write_server_plan(p), "server.plan"), Error);
  }
}

// A plan that nothing else refuses: one weight of another network, which the client's half must not pass for
// its own.
TEST(PlanFile, ServerHalvesAreNotExchanged) {
  auto p = sample();
  p.steps[0].weights[0] ^= 1;
  verify_plan(p);
  try {
    read_server_plan(write_server_plan(p), "server.plan");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("server.plan: its id does not belong to its weights"));
  }
}

// All that the client's half says may be the same, but for the digest.
TEST(PlanFile, NetworksThatDifferInWeightsHaveTwoIds) {
  const auto plan_of = [](float factor) {
    NetworkBuilder b({1, 6, 6}, 51);
    b.flatten().dense(4).quadratic().dense(3);
    auto graph = b.finish();
    for (auto& node : graph.nodes)
      if (auto* dense = std::get_if<model::Dense>(&node.op)) {
        dense->weights[1] *= factor;
        break;
      }
    return make_plan(graph, fixed_request()).plan.client;
  };
  const auto one = plan_of(1), same = plan_of(1);
  auto other = plan_of(0.75f);
  EXPECT_EQ(one.id, same.id);
  EXPECT_NE(one.id, other.id);
  other.server_digest = one.server_digest;
  EXPECT_EQ(plan_id(other), one.id)
      << "their public halves differ in more than the digest: the test shows nothing";
}

// A name that is changed as it is read would give a plan two files. `damage` must keep the length.
std::string refusal_of_name(const std::string& name, const std::string& damage) {
  auto p = sample();
  p.values[1].name = p.steps[0].name = name;
  seal_plan(p);
  auto payload = [&] {
    const auto file = write_server_plan(p);
    const auto bytes = unwrap(file, FileType::server_plan, 5, "x");
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
  }();
  // The digest of the server's half is the last of the public one, the id follows: both are made anew, as who
  // alters a file can.
  auto own = payload.begin();
  const std::span digest(p.client.server_digest);
  own = std::search(payload.begin(), payload.end(), digest.begin(), digest.end()) + 32 + 16;
  for (auto at = own; (at = std::search(at, payload.end(), name.begin(), name.end())) != payload.end();)
    at = std::copy(damage.begin(), damage.end(), at);
  crypto_generichash(&*own - 48, 32, &*own, static_cast<std::size_t>(payload.end() - own), nullptr, 0);
  crypto_generichash(&*own - 16, 16, payload.data(), static_cast<std::size_t>(own - payload.begin()) - 16,
                     nullptr, 0);
  const auto file = wrap(FileType::server_plan, 5, payload);
  try {
    const auto again = read_server_plan(file, "server.plan");
    return write_server_plan(again) == file ? "" : "two files of one plan";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(PlanFile, NamesAreReadAsTheyLie) {
  EXPECT_EQ(refusal_of_name("convolution", "convolution"), "");
  EXPECT_EQ(refusal_of_name("convolution", "convol\xc3\xbcion"), "");
  for (const std::string damage : {"con\x1bolution", "con\xc0olution", "con\nolution"})
    EXPECT_THAT(refusal_of_name("convolution", damage), HasSubstr("server.plan: the name 'con\\"));
}

// The planner takes names as they come; what a file holds can be shown on a terminal.
TEST(PlanFile, NamesAreWrittenAsTheyCanBeShown) {
  auto p = sample();
  p.client.model_name = "a\tb";
  p.client.form.classes = {"x\x1b[2J", "y"};
  p.steps[0].name = "con\xc0";
  seal_plan(p);
  const auto file = write_server_plan(p);
  const auto again = read_server_plan(file, "server.plan");
  EXPECT_EQ(again.client.model_name, "a\\tb");
  EXPECT_EQ(again.client.form.classes[0], "x\\x1b[2J");
  EXPECT_EQ(again.steps[0].name, "con\\xc0");
  EXPECT_EQ(write_server_plan(again), file);
}

TEST(PlanFile, TruncatedAndFlippedFilesAreRefused) {
  const auto bytes = write_server_plan(sample());
  for (std::size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 37)
    EXPECT_THROW(read_server_plan(std::span(bytes).first(length), "cut.plan"), Error) << length;
  for (std::size_t i = 0; i < bytes.size(); i += 1 + bytes.size() / 53) {
    auto bad = bytes;
    bad[i] ^= 0x10;
    EXPECT_THROW(read_server_plan(bad, "flipped.plan"), Error) << i;
  }
  EXPECT_THROW(read_client_plan(bytes, "server.plan"), Error);
}

// Damage inside a frame with a right checksum: the reader itself must hold.
constexpr std::uint32_t kPlanVersion = 5;

TEST(PlanFile, DamagedPayloadsNeverPass) {
  const auto file = write_server_plan(sample());
  const auto payload = unwrap(file, FileType::server_plan, kPlanVersion, "x");
  std::size_t refused = 0, tried = 0;
  for (std::size_t i = 0; i < payload.size(); i += 1 + payload.size() / 211) {
    std::vector<std::uint8_t> bad(payload.begin(), payload.end());
    bad[i] ^= 0x81;
    ++tried;
    try {
      verify_plan(read_server_plan(wrap(FileType::server_plan, kPlanVersion, bad),
                                   "bad.plan"));  // a changed weight may pass
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0u);
  EXPECT_LE(refused, tried);
  for (std::size_t length = 0; length < payload.size(); length += 1 + payload.size() / 101)
    EXPECT_THROW(
        read_server_plan(wrap(FileType::server_plan, kPlanVersion, payload.first(length)), "cut.plan"),
        Error);
}

TEST(PlanFile, TestParametersAreNotRead) {
  NetworkBuilder b({3}, 52);
  b.dense(2).quadratic().dense(2);
  auto r = fixed_request();
  r.security = ckks::Security::none;
  r.min_log_n = r.max_log_n = 6;
  const auto plan = make_plan(b.finish(), r).plan;
  try {
    read_client_plan(write_client_plan(plan.client), "client.plan");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("no security"));
  }
}

TEST(Verify, FindsEveryBrokenContract) {
  const std::vector<std::pair<std::string, std::function<void(ServerPlan&)>>> breaks = {
      {"source", [](auto& p) { p.steps[1].sources[0].value = 99; }},
      {"element", [](auto& p) { p.steps[1].sources[0].elements[0] = 1u << 30; }},
      {"element twice",
       [](auto& p) { p.steps[0].sources[0].elements[1] = p.steps[0].sources[0].elements[0]; }},
      {"limbs", [](auto& p) { p.steps[0].limbs += 1; }},
      {"no limbs", [](auto& p) { p.steps[0].limbs = 0; }},
      {"value limbs", [](auto& p) { p.values[2].limbs = 99; }},
      {"polys", [](auto& p) { p.steps[0].polys = 3; }},
      {"value polys", [](auto& p) { p.values[1].polys = 3; }},
      {"pair", [](auto& p) { p.steps[0].pairs[0].first = 1u << 29; }},
      {"pair twice", [](auto& p) { p.steps[0].pairs[0].second = p.steps[0].pairs[1].first; }},
      {"group pair", [](auto& p) { p.steps[0].groups[0].pairs.back() = 1u << 29; }},
      {"group gap", [](auto& p) { p.steps[0].groups[1].first_output += 1; }},
      {"group rows", [](auto& p) { p.steps[0].groups.back().rows += 1; }},
      {"weights beyond", [](auto& p) { p.steps[0].groups[0].weight_offset = p.steps[0].weights.size(); }},
      {"weights far beyond", [](auto& p) { p.steps[0].groups[0].weight_offset = ~std::uint64_t{0} - 4; }},
      {"run", [](auto& p) { p.steps[0].groups[0].run_pairs = 0; }},
      {"long run",
       [](auto& p) {
         for (auto& w : p.steps.back().weights) w = 32767;
         for (auto& g : p.steps.back().groups)
           g.row_l1 = ~std::uint64_t{0}, g.run_pairs = static_cast<std::uint32_t>(g.pairs.size());
       }},
      {"row sum", [](auto& p) { p.steps[0].groups[0].row_l1 = 1; }},
      {"bias", [](auto& p) { p.steps[0].bias.pop_back(); }},
      {"bias nan", [](auto& p) { p.steps[0].bias[0] = std::numeric_limits<double>::quiet_NaN(); }},
      {"scale", [](auto& p) { p.steps[0].affine_scale *= 1.01; }},
      {"value scale", [](auto& p) { p.values[1].scale = -1; }},
      {"rows", [](auto& p) { p.values[1].row_begin[1] = p.values[1].row_begin[2]; }},
      {"keys", [](auto& p) { p.client.keys.relinearise_limbs = 1; }},
      {"finish", [](auto& p) { p.steps[0].finish = Finish::rescale; }},
      {"task missing", [](auto& p) { p.tasks.pop_back(); }},
      {"task twice", [](auto& p) { p.tasks.push_back(p.tasks.back()); }},
      {"task step", [](auto& p) { p.tasks[0].step = 99; }},
      {"task groups", [](auto& p) { p.tasks[0].group_end = 1u << 29; }},
      {"task order", [](auto& p) { std::swap(p.tasks.front(), p.tasks.back()); }},
      {"released early",
       [](auto& p) {
         p.tasks[0].releases.push_back({1, 0, 1});
       }},
      {"release of the output",
       [](auto& p) {
         p.tasks.back().releases.push_back({p.output_value, 0, 1});
       }},
      {"release beyond",
       [](auto& p) {
         p.tasks[0].releases.push_back({0, 0, 99});
       }},
      {"output", [](auto& p) { p.output_value = 0; }},
      {"output scale", [](auto& p) { p.client.output_scale *= 2; }},
      {"input order", [](auto& p) { p.client.input_order[0] = p.client.input_order[1]; }},
      {"input limbs", [](auto& p) { p.client.input_limbs = 1; }},
      {"modulus", [](auto& p) { p.client.params.moduli[0] += 2; }},
      {"overflow", [](auto& p) { p.values[1].bound *= 1e30; }},
  };
  verify_plan(sample());
  for (const auto& [what, spoil] : breaks) {
    auto plan = sample();
    spoil(plan);
    EXPECT_THROW(verify_plan(plan), Error) << what;
  }
}

}  // namespace
}  // namespace velum::plan::testing
