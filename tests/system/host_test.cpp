// Limits as kernels, containers and schedulers write them, in folders of the test's own.
#include "system/host.h"

#include <gtest/gtest.h>
#include <sched.h>

#include "base/temp_folder.h"
#include "system/cores.h"
#include "system/file.h"
#include "system/memory.h"

namespace velum {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

class Host : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    const auto path = std::filesystem::path(folder_ / file);
    std::filesystem::create_directories(path.parent_path());
    write_file_atomically(path.string(), text);
  }
  HostFiles files() { return {folder_ / "proc", folder_ / "cgroup"}; }

  testing::TempFolder folder_;
};

TEST_F(Host, MemoryOfAnOldKernelIsWhatIsFreeAndCached) {
  write("proc/meminfo",
        "MemTotal: 8000 kB\nMemFree: 1000 kB\nBuffers: 20 kB\nCached: 3 kB\nSwapCached: 9 kB\n");
  EXPECT_EQ(available_memory_bytes(files()), 1023u * 1024);
  write("proc/meminfo", "MemTotal: 8000 kB\nMemFree: 1000 kB\nMemAvailable: 4000 kB\n");
  EXPECT_EQ(available_memory_bytes(files()), 4000u * 1024);
}

TEST_F(Host, MemoryThatNobodyStatesIsUnknown) {
  EXPECT_EQ(available_memory_bytes(files()), std::nullopt);
}

TEST_F(Host, MemoryLimitsHoldOnEveryLevel) {
  write("proc/meminfo", "MemAvailable: 1048576 kB\n");
  write("proc/self/cgroup", "0::/system.slice/job_7/task\n");
  write("cgroup/memory.max", "max\n");
  write("cgroup/system.slice/job_7/memory.max", std::to_string(300 * kMiB));
  write("cgroup/system.slice/job_7/memory.current", std::to_string(120 * kMiB));
  write("cgroup/system.slice/job_7/memory.stat", "anon 5\ninactive_file " + std::to_string(20 * kMiB) + "\n");
  write("cgroup/system.slice/job_7/task/memory.max", "max\n");
  EXPECT_EQ(available_memory_bytes(files()), 200 * kMiB);
}

TEST_F(Host, MemoryLimitsOfTheFirstVersion) {
  write("proc/meminfo", "MemAvailable: 1048576 kB\n");
  write("proc/self/cgroup", "4:cpu,cpuacct:/slurm/job_7\n3:memory:/slurm/job_7\n");
  write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("cgroup/memory/slurm/job_7/memory.limit_in_bytes", std::to_string(64 * kMiB));
  write("cgroup/memory/slurm/job_7/memory.usage_in_bytes", std::to_string(60 * kMiB));
  write("cgroup/memory/slurm/job_7/memory.stat",
        "inactive_file 0\ntotal_inactive_file " + std::to_string(50 * kMiB) + "\n");
  EXPECT_EQ(available_memory_bytes(files()), 54 * kMiB);
  // Without /proc/meminfo the limit is what is known.
  std::filesystem::remove(folder_ / "proc/meminfo");
  EXPECT_EQ(available_memory_bytes(files()), 54 * kMiB);
}

// In a container /proc/self/cgroup may name the group as it is called outside.
TEST_F(Host, AGroupThatIsNotThereLeavesTheRootsLimit) {
  write("proc/self/cgroup", "0::/docker/0123456789abcdef\n");
  write("cgroup/memory.max", std::to_string(5 * kMiB));
  write("cgroup/cpu.max", "100000 100000\n");
  EXPECT_EQ(available_memory_bytes(files()), 5 * kMiB);
  EXPECT_EQ(usable_cores(files()), 1);
}

class Cores : public Host {
 protected:
  int all() {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return CPU_COUNT(&set);
  }
};

TEST_F(Cores, WithoutAQuotaAreTheProcessors) {
  EXPECT_EQ(usable_cores(files()), all());
  write("cgroup/cpu.max", "max 100000\n");
  write("cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(usable_cores(files()), all());
}

TEST_F(Cores, AQuotaHoldsOnEveryLevel) {
  write("proc/self/cgroup", "0::/kubepods/pod1\n");
  write("cgroup/kubepods/cpu.max", "50000 100000\n");
  write("cgroup/kubepods/pod1/cpu.max", "max 100000\n");
  EXPECT_EQ(usable_cores(files()), 1);
}

TEST_F(Cores, AQuotaOfTheFirstVersion) {
  write("proc/self/cgroup", "2:cpu,cpuacct:/docker/1\n");
  write("cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "20000\n");
  write("cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(usable_cores(files()), 1);
}

TEST_F(Cores, AQuotaIsRoundedUpAndNeverAddsCores) {
  if (all() < 2) GTEST_SKIP() << "one processor here";
  write("cgroup/cpu.max", "110000 100000\n");
  EXPECT_EQ(usable_cores(files()), 2);
  write("cgroup/cpu.max", "100000000 100000\n");
  EXPECT_EQ(usable_cores(files()), all());
}

TEST(Threads, AsManyAsWantedWhereNothingForbidsIt) {
  EXPECT_EQ(startable_threads(1), 1);
  EXPECT_EQ(startable_threads(0), 1);
  EXPECT_EQ(startable_threads(5), 5);
}

}  // namespace
}  // namespace velum
