// Whatever is changed in a plan: it is refused, or the engine runs it, and nothing that it computes depends
// on memory that it has not written. That shows in a second run of the same engine: its memory is kept, and
// holds what another batch left there.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>

#include "base/error.h"
#include "base/parallel.h"
#include "ckks/client/client.h"
#include "model/execute.h"
#include "plan/schedule/peak.h"
#include "support/encrypted_run.h"
#include "support/graphs.h"

namespace velum::test {
namespace {

using namespace model;
using plan::ServerPlan;

Graph convolutions() {
  GraphBuilder b({1, 6, 6}, 3);
  const auto x = b.quadratic(b.convolution(b.input(), same_padded(2), 1), {2, 6, 6});
  const auto y = b.quadratic(
      b.convolution(x, {.outputs = 3, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, 2),
      {3, 1, 1});
  auto g = b.finish(b.dense(b.flatten(y, 12), 12, 3));
  const std::vector<float> images(4 * 36, 0.5F);
  calibrate(g, images, 4, 1.0);
  return g;
}

// A convolution of the input that the dense layer behind it reads slice by slice.
Graph streamed() {
  GraphBuilder b({1, 5, 5}, 3);
  const auto x = b.quadratic(
      b.convolution(b.input(), {.outputs = 2, .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2}, 1),
      {2, 1, 1});
  auto g = b.finish(b.dense(b.flatten(x, 8), 8, 3));
  const std::vector<float> images(4 * 25, 0.5F);
  calibrate(g, images, 4, 1.0);
  return g;
}

// Everything that the engine reads of a plan, as places that may be changed. The client half belongs to the
// keys and to the batch, and is left alone.
struct Places {
  std::vector<std::pair<const char*, std::function<void(std::mt19937&)>>> all;

  template <typename T>
  void add(const char* what, T& x) {
    all.emplace_back(what, [&x](std::mt19937& g) { change(x, g); });
  }
  template <typename T>
  void add_each(const char* what, std::vector<T>& v) {
    for (auto& x : v) add(what, x);
    if (v.size() < 2) return;
    all.emplace_back(what, [&v](std::mt19937& g) { std::swap(v[g() % v.size()], v[g() % v.size()]); });
    all.emplace_back(what, [&v](std::mt19937&) { v.pop_back(); });
    all.emplace_back(what, [&v](std::mt19937& g) { v.push_back(v[g() % v.size()]); });
  }

  template <typename T>
  static void change(T& x, std::mt19937& g) {
    if constexpr (std::is_floating_point_v<T>) {
      const double to[] = {0, -x, 1e300, x * 2, x * 1e6, x / 3, std::numeric_limits<double>::infinity()};
      x = to[g() % std::size(to)];
    } else if constexpr (std::is_enum_v<T>) {
      x = static_cast<T>(g() % 4);
    } else {
      const auto bit = static_cast<T>(T{1} << (g() % (8 * sizeof(T) - (std::is_signed_v<T> ? 1 : 0))));
      const T to[] = {0,
                      1,
                      static_cast<T>(x + 1),
                      static_cast<T>(x - 1),
                      static_cast<T>(x ^ bit),
                      std::numeric_limits<T>::max(),
                      std::numeric_limits<T>::min()};
      x = to[g() % std::size(to)];
    }
  }
};

void add_tasks(Places& p, std::vector<plan::Task>& tasks) {
  for (auto& t : tasks) {
    p.add("task step", t.step);
    p.add("task begin", t.group_begin);
    p.add("task end", t.group_end);
    for (auto& r : t.releases) {
      p.add("release value", r.value);
      p.add("release begin", r.row_begin);
      p.add("release end", r.row_end);
    }
    p.all.emplace_back("no releases", [&t](std::mt19937&) { t.releases.clear(); });
  }
  const auto some = [&tasks](std::mt19937& g) { return g() % tasks.size(); };
  for (int i = 0; i < 20; ++i) {
    p.all.emplace_back("tasks swapped",
                       [&tasks, some](std::mt19937& g) { std::swap(tasks[some(g)], tasks[some(g)]); });
    // A part of a task comes later, and all rows stay: those that it shares are there, its elements are not.
    p.all.emplace_back("a task in two", [&tasks, some](std::mt19937& g) {
      auto& whole = tasks[some(g)];
      if (whole.group_end - whole.group_begin < 2) return;
      std::vector<plan::Release> releases;
      for (auto& t : tasks) {
        releases.insert(releases.end(), t.releases.begin(), t.releases.end());
        t.releases.clear();
      }
      plan::Task late = whole;
      const auto most = std::min(3u, whole.group_end - whole.group_begin - 1);  // of its last row
      late.group_begin = whole.group_end -= static_cast<std::uint32_t>(1 + g() % most);
      tasks.insert(tasks.begin() + static_cast<std::ptrdiff_t>(g() % (tasks.size() + 1)), late);
      tasks.back().releases = releases;
    });
    p.all.emplace_back("a release later", [&tasks, some](std::mt19937& g) {
      auto& from = tasks[some(g)].releases;
      if (from.empty()) return;
      tasks[some(g)].releases.push_back(from.back());
      from.pop_back();
    });
  }
}

Places places_of(ServerPlan& plan) {
  Places p;
  for (auto& v : plan.values) {
    p.add("elements", v.elements);
    p.add("polys", v.polys);
    p.add("value limbs", v.limbs);
    p.add("scale", v.scale);
    p.add("bound", v.bound);
    p.add_each("rows", v.row_begin);
    p.all.emplace_back("rows in one", [&v](std::mt19937&) { v.row_begin = {0, v.elements}; });
  }
  for (auto& s : plan.steps) {
    p.add("kind", s.kind);
    p.add("output", s.output);
    for (auto& source : s.sources) {
      p.add("source", source.value);
      p.add("source kind", source.kind);
      p.add("lift", source.lift);
      p.add_each("source elements", source.elements);
    }
    p.add("limbs", s.limbs);
    p.add("step polys", s.polys);
    for (auto& pair : s.pairs) {
      p.add("pair", pair.first);
      p.add("pair", pair.second);
      p.all.emplace_back("half a pair", [&pair](std::mt19937&) { pair.second = plan::kAbsent; });
    }
    for (auto& g : s.groups) {
      p.add("first output", g.first_output);
      p.add("group rows", g.rows);
      p.add_each("group pairs", g.pairs);
      p.add("weight offset", g.weight_offset);
      p.add("run pairs", g.run_pairs);
      p.add("row sum", g.row_l1);
      p.add_each("periodic inputs", g.periodic_inputs);
      p.add("periodic offset", g.periodic_offset);
    }
    p.add_each("weights", s.weights);
    p.add_each("periodic weights", s.periodic);
    p.add_each("bias", s.bias);
    p.add_each("shifts", s.shifts);
    p.add("affine scale", s.affine_scale);
    p.add("finish", s.finish);
    p.all.emplace_back("streamed", [&s](std::mt19937&) { s.streamed = !s.streamed; });
  }
  add_tasks(p, plan.tasks);
  p.add("output value", plan.output_value);
  p.add("peak", plan.peak_bytes);
  p.add("workspace", plan.workspace_bytes_per_thread);
  p.add("threads", plan.threads);
  return p;
}

class PlanMutation {
 public:
  PlanMutation(const Graph& graph, const plan::Request& request)
      : good_(plan::make_plan(graph, request).plan),
        params_(good_.client.params),
        secret_(ckks::SecretKey::generate(params_, ring::Randomness::system())),
        keys_(ckks::generate_keys(params_, secret_, good_.client.keys, ring::Randomness::system())) {
    const ckks::Encryptor encryptor(params_, secret_, ring::Randomness::system());
    for (auto* batch : {&one_, &other_})
      for (std::size_t k = 0; k < plan::input_ciphertexts(good_.client); ++k)
        batch->push_back(encryptor.encrypt(std::vector<double>(params_.slots(), 0.5),
                                           good_.client.input_scale, good_.client.input_limbs));
  }

  // Changes the plan `count` times, `at_once` places each: every kind of place as often as any other.
  void run(std::size_t count, std::size_t at_once, unsigned seed) {
    std::mt19937 random(seed);
    for (std::size_t i = 0; i < count; ++i) {
      auto plan = good_;
      std::string changed;
      for (std::size_t k = 0; k < at_once; ++k) {  // found anew: a change may move the others
        auto places = places_of(plan);
        std::map<std::string, std::vector<std::size_t>> kinds;
        for (std::size_t at = 0; at < places.all.size(); ++at) kinds[places.all[at].first].push_back(at);
        const auto& kind = *std::next(kinds.begin(), static_cast<std::ptrdiff_t>(random() % kinds.size()));
        places.all[kind.second[random() % kind.second.size()]].second(random);
        changed += kind.first + "; ";
      }
      judge(plan, changed);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  std::size_t refused() const { return refused_; }
  std::size_t ran() const { return ran_; }

 private:
  static std::string refusal(const ServerPlan& plan) {
    try {
      plan::verify_plan(plan);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::user) << e.what();
      return e.what();
    }
    return {};
  }

  // Figures that only follow from the rest are made right, so that they hide nothing else.
  static bool accepted(ServerPlan& plan) {
    const auto why = refusal(plan);
    if (why.find("of workspace") == std::string::npos && why.find("a peak of") == std::string::npos)
      return why.empty();
    try {
      plan::state_memory(plan, plan.threads);
    } catch (const Error& e) {  // rows that are gone
      EXPECT_EQ(e.kind(), ErrorKind::user) << e.what();
      return false;
    }
    return plan.peak_bytes < std::uint64_t{1} << 30 && refusal(plan).empty();
  }

  void judge(ServerPlan& plan, const std::string& what) {
    SCOPED_TRACE(what);
    if (!accepted(plan)) {
      ++refused_;
      return;
    }
    ++ran_;
    try {
      const engine::Engine engine(plan, params_, keys_);
      const auto first = words(engine, one_);
      (void)words(engine, other_);
      ASSERT_EQ(words(engine, one_), first) << what << ": the result depends on what was in memory";
    } catch (const Error& e) {
      ADD_FAILURE() << what << ": accepted, then " << e.what();
    }
  }

  std::vector<ckks::u64> words(const engine::Engine& engine,
                               const std::vector<ckks::SeededCiphertext>& batch) const {
    std::vector<ckks::u64> all;
    for (const auto& c : engine.run(engine::MemoryInput(batch, params_)))
      all.insert(all.end(), c.view().data, c.view().data + c.polys() * c.limbs() * c.n());
    return all;
  }

  ServerPlan good_;
  ckks::Parameters params_;
  ckks::SecretKey secret_;
  ckks::EvaluationKeys keys_;
  std::vector<ckks::SeededCiphertext> one_, other_;
  std::size_t refused_ = 0, ran_ = 0;
};

void expect_refused_or_run(const Graph& graph, const plan::Request& request) {
  use_threads(1);
  PlanMutation mutation(graph, request);
  mutation.run(1500, 1, 1);
  mutation.run(700, 2, 2);
  use_threads(0);
  EXPECT_GT(mutation.refused(), 500u);
  EXPECT_GT(mutation.ran(), 100u);
}

TEST(PlanMutation, IsRefusedOrRuns) {
  expect_refused_or_run(convolutions(), tiny_request(5));
}

TEST(PlanMutation, IsRefusedOrRunsStreamed) {
  ASSERT_TRUE(plan::make_plan(streamed(), tiny_request(5)).plan.steps[0].streamed);
  expect_refused_or_run(streamed(), tiny_request(5));
}

TEST(PlanMutation, IsRefusedOrRunsInBlocks) {
  auto request = tiny_request(7);
  request.packing = plan::Packing::blocks;
  request.blocks = 8;
  request.batch = 1;
  expect_refused_or_run(convolutions(), request);
}

}  // namespace
}  // namespace velum::test
