#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

namespace velum {
namespace {

class Parallel : public ::testing::Test {
 protected:
  ~Parallel() override { use_threads(0); }
};

TEST_F(Parallel, VisitsEachIndexOnce) {
  for (const int team : {1, 2, 3, 8})
    for (const std::size_t count : {0u, 1u, 2u, 7u, 1000u}) {
      use_threads(team);
      EXPECT_EQ(threads(), team);
      std::vector<int> visits(count, 0);
      parallel_for(count, [&](std::size_t i, int worker) {
        ++visits[i];
        ASSERT_TRUE(worker >= 0 && worker < team);
      });
      EXPECT_EQ(visits, std::vector<int>(count, 1));
    }
}

// A worker's number is what buffers are handed out by: no two bodies may run under the same one at a time.
TEST_F(Parallel, WorkersHaveTheirNumberAlone) {
  use_threads(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<int> clashes{0};
  parallel_for(2000, [&](std::size_t, int worker) {
    auto& here = inside[static_cast<std::size_t>(worker)];
    if (here.fetch_add(1) != 0) ++clashes;
    for (volatile int spin = 0; spin < 200;) spin = spin + 1;
    here.fetch_sub(1);
  });
  EXPECT_EQ(clashes, 0);
}

TEST_F(Parallel, AnExceptionStopsTheLoopAndComesOut) {
  for (const int team : {1, 3}) {
    use_threads(team);
    std::atomic<std::size_t> done{0};
    try {
      parallel_for(1000000, [&](std::size_t i, int) {
        if (i == 5) throw std::runtime_error("five");
        ++done;
      });
      FAIL() << "no exception";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "five");
    }
    EXPECT_LT(done, 1000000u);
    // The next loop is not affected.
    std::atomic<int> after{0};
    parallel_for(10, [&](std::size_t, int) { ++after; });
    EXPECT_EQ(after, 10);
  }
}

// Whoever begins loops has helpers of its own: nobody waits for another's.
TEST_F(Parallel, ThreadsBeginLoopsSideBySide) {
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&sum] {
      use_threads(3);
      for (int loop = 0; loop < 2000; ++loop) parallel_for(7, [&](std::size_t i, int) { sum += i; });
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sum, 3u * 2000 * 21);
}

TEST_F(Parallel, LoopsOfManySizesFollowOneAnother) {
  for (int loop = 0; loop < 3000; ++loop) {
    std::vector<int> visits(static_cast<std::size_t>(loop % 19), 0);
    parallel_for(visits.size(), 1 + loop % 5, [&](std::size_t i, int) { ++visits[i]; });
    ASSERT_EQ(visits, std::vector<int>(visits.size(), 1)) << loop;
  }
}

// A helper that sleeps is woken, and one that is late is not waited for: the loop ends all the same.
TEST_F(Parallel, LoopsThatAreFarApart) {
  use_threads(2);
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> done{0};
    parallel_for(4, [&](std::size_t, int) { ++done; });
    EXPECT_EQ(done, 4);
  }
}

TEST_F(Parallel, ALoopWithinALoopEnds) {
  use_threads(3);
  std::atomic<int> done{0};
  parallel_for(6, [&](std::size_t, int) { parallel_for(5, [&](std::size_t, int) { ++done; }); });
  EXPECT_EQ(done, 30);
}

// A forked process has none of the helpers, and must neither wait for them nor join them.
TEST_F(Parallel, AForkedProcessDoesItsLoopsAlone) {
  use_threads(3);
  std::atomic<int> before{0};
  parallel_for(9, [&](std::size_t, int) { ++before; });
  EXPECT_EQ(before, 9);
  EXPECT_EXIT(
      {
        std::atomic<int> done{0};
        parallel_for(9, [&](std::size_t, int) { ++done; });
        std::exit(done == 9 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(Parallel, AllThrowingIsOneException) {
  use_threads(4);
  EXPECT_THROW(parallel_for(100, [](std::size_t, int) { throw std::runtime_error("x"); }),
               std::runtime_error);
}

// What is kept for each worker is sized by the team that was passed, whatever is set meanwhile.
TEST_F(Parallel, ATeamThatIsPassedStays) {
  use_threads(8);
  std::atomic<int> beyond{0};
  const auto loop = [&](int team) {
    parallel_for(1000, team, [&](std::size_t i, int worker) {
      if (i == 10) use_threads(16);
      if (worker < 0 || worker >= std::max(team, 1)) ++beyond;
    });
  };
  for (const int team : {0, 1, 2, 5}) loop(team);
  EXPECT_EQ(beyond, 0);
}

TEST_F(Parallel, ZeroThreadsMeansAllCores) {
  use_threads(0);
  EXPECT_GE(threads(), 1);
  use_threads(-3);
  EXPECT_GE(threads(), 1);
}

}  // namespace
}  // namespace velum
