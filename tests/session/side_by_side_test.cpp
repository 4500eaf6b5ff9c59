// Servers and clients in several threads; run under the thread sanitizer too (the preset tsan).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/parallel.h"
#include "base/temp_folder.h"
#include "session/support.h"

namespace velum::test {
namespace {

using ::testing::HasSubstr;
using velum::testing::TempFolder;

struct Sides {
  Plan plan = small_model().plan({.threads = 2});
  Client client = Client::create(plan.client());
  EvaluationKeys keys = EvaluationKeys::from_bytes(plan.server(), client.evaluation_keys());
  std::vector<float> images = drawn_images(4);
  Bytes batch = client.encrypt(Images::floats(images));
};

TEST(SideBySide, CallsOfOneServerQueue) {
  const Sides s;
  Server server(s.plan.server(), s.keys, {.threads = 2});
  const auto expected = server.evaluate(s.batch);
  constexpr int kCallers = 3;
  std::vector<Bytes> results(kCallers);
  std::atomic<int> inside{0}, most{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c)
    callers.emplace_back([&, c] {
      // Progress comes from the call at work alone: from 0 to below 1 there is one.
      bool counted = false;
      results[static_cast<std::size_t>(c)] = server.evaluate(s.batch, {[&](double share) {
                                                               if (!counted && share < 1) {
                                                                 counted = true;
                                                                 most = std::max(most.load(), ++inside);
                                                               }
                                                               if (counted && share == 1) --inside;
                                                             }});
    });
  for (auto& t : callers) t.join();
  EXPECT_EQ(most, 1);
  for (const auto& r : results) EXPECT_EQ(r, expected);
}

// A call that waits for another asks whether it should go on, and ends before its turn where it should not.
TEST(SideBySide, ACallThatWaitsCanBeCancelled) {
  const Sides s;
  const TempFolder folder;
  folder.write("batch", s.batch);
  Server server(s.plan.server(), s.keys, {.threads = 1});
  std::atomic<bool> inside{false}, released{false}, done{false};
  Bytes results;
  std::thread first([&] {
    const auto last = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    results = server.evaluate(s.batch, {[&](double) {
                                inside = true;
                                while (!released && std::chrono::steady_clock::now() < last)
                                  std::this_thread::sleep_for(std::chrono::milliseconds(1));
                              }});
    done = true;
  });
  while (!inside) std::this_thread::yield();
  int questions = 0;
  const Monitor third_time{{}, [&] { return ++questions == 3; }};
  EXPECT_THAT(refusal([&] { server.evaluate(s.batch, third_time); }, ErrorKind::cancelled),
              HasSubstr("cancelled"));
  EXPECT_EQ(questions, 3) << "and not asked again";
  const Monitor at_once{{}, [] { return true; }};
  EXPECT_THAT(refusal([&] { server.evaluate_file(folder / "batch", folder / "results", at_once); },
                      ErrorKind::cancelled),
              HasSubstr("cancelled"));
  EXPECT_FALSE(std::filesystem::exists(folder / "results"));
  EXPECT_FALSE(done.load()) << "it waited for its turn";
  released = true;
  first.join();
  EXPECT_EQ(server.evaluate(s.batch), results) << "and the server goes on";
}

TEST(SideBySide, TwoServersRunWithThreadsOfTheirOwn) {
  const Sides s;
  Server one(s.plan.server(), s.keys, {.threads = 1}), three(s.plan.server(), s.keys, {.threads = 3});
  const auto expected = one.evaluate(s.batch);
  const int before = threads();
  EvaluationReport first, second;
  Bytes a, b;
  std::thread other([&] { b = three.evaluate(s.batch, {}, &second); });
  a = one.evaluate(s.batch, {}, &first);
  other.join();
  EXPECT_EQ(a, expected);
  EXPECT_EQ(b, expected);
  EXPECT_EQ(first.threads, 1);
  EXPECT_EQ(second.threads, 3);
  EXPECT_EQ(threads(), before) << "the caller's own number is as it was";
}

// Each thread's own number of threads, in loops that run at the same time.
TEST(SideBySide, ANumberOfThreadsIsItsCallersAlone) {
  std::atomic<int> ready{0};
  const auto workers_of = [&](int wanted) {
    const ThreadScope scope(wanted);
    ++ready;
    while (ready < 2) std::this_thread::yield();  // both have set theirs
    std::atomic<int> most{0};
    parallel_for(1000, [&](std::size_t, int worker) {
      int seen = most;
      while (seen < worker && !most.compare_exchange_weak(seen, worker)) {
      }
    });
    return std::pair(threads(), most + 1);
  };
  std::pair<int, int> two, four;
  std::thread other([&] { four = workers_of(4); });
  two = workers_of(2);
  other.join();
  EXPECT_EQ(two.first, 2);
  EXPECT_LE(two.second, 2);
  EXPECT_EQ(four.first, 4);
  EXPECT_LE(four.second, 4);
}

TEST(SideBySide, OneClientServesSeveralThreads) {
  const Sides s;
  Server server(s.plan.server(), s.keys, {.threads = 1});
  const auto results = server.evaluate(s.batch);
  const auto expected = s.client.decrypt(results).values;
  std::vector<std::thread> callers;
  std::vector<std::vector<double>> decrypted(3);
  for (auto& d : decrypted)
    callers.emplace_back([&] {
      const auto batch = s.client.encrypt(Images::floats(s.images));
      d = s.client.decrypt(results).values;
    });
  for (auto& t : callers) t.join();
  for (const auto& d : decrypted) EXPECT_EQ(d, expected);
}

}  // namespace
}  // namespace velum::test
