// Which variants this build holds, which of them the processor runs, and which one is in use.
#include "kernels/table.h"

#include <atomic>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "base/error.h"
#include "kernels/ref/ref.h"
#if VELUM_VERIFY
#include "kernels/verify.h"
#endif
#if VELUM_KERNELS_X86
#include "kernels/avx2/avx2.h"
#include "kernels/avx512/avx512.h"
#endif

namespace velum::kernels {
namespace {

// A variant as it is handed out: in a verify build, behind the layer that checks the contracts.
template <const Table& (*Variant)()>
const Table& entry() {
#if VELUM_VERIFY
  return Checked<Variant>::table();
#else
  return Variant();
#endif
}

const std::vector<const Table*>& variants() {
  static const std::vector<const Table*> kVariants = [] {
    std::vector<const Table*> list{&entry<ref::table>()};
#if VELUM_KERNELS_X86
    const CpuFeatures cpu = detect_cpu();
    if (cpu.avx2) list.push_back(&entry<avx2::table>());
    if (cpu.avx512 && cpu.avx512_ifma && cpu.avx512_vnni) list.push_back(&entry<avx512::table>());
#endif
    return list;
  }();
  return kVariants;
}

const Table* initial_table() {
  const char* forced = std::getenv("VELUM_KERNELS");  // NOLINT(concurrency-mt-unsafe): nothing here sets any
  return forced && *forced ? &table_named(forced) : variants().back();
}

std::atomic<const Table*>& current() {
  static std::atomic<const Table*> table{initial_table()};
  return table;
}

}  // namespace

const Table& table() {
  return *current().load(std::memory_order_acquire);
}

std::span<const Table* const> available_tables() {
  return variants();
}

const Table& table_named(std::string_view name) {
  std::string names;
  for (const Table* t : variants()) {
    if (name == t->name) return *t;
    names += (names.empty() ? "" : ", ") + std::string(t->name);
  }
  fail_user(
      "kernels: there is no variant '{}' on this processor; available: {}. Set VELUM_KERNELS to one of them, "
      "or unset it",
      name, names);
}

void use_table(const Table& t) {
  current().store(&t, std::memory_order_release);
}

void base_convert(const Table& t, u64* const* out, const u64* const* in, std::size_t n,
                  const BaseConversion& c) {
  std::vector<u64> memory(c.sources * n);
  std::vector<u64*> y;
  for (std::size_t i = 0; i < c.sources; ++i) y.push_back(memory.data() + i * n);
  std::vector<std::uint8_t> v(n);
  t.base_scale(y.data(), v.data(), in, n, c);
  for (std::size_t j = 0; j < c.targets; ++j) t.base_sum(out[j], y.data(), v.data(), n, c, j);
}

}  // namespace velum::kernels
