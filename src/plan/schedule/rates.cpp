#include "plan/schedule/rates.h"

#include <algorithm>
#include <bit>

namespace velum::plan {

const char* name(Term t) {
  static constexpr const char* kNames[kTerms] = {"multiply_adds", "panel_reads",
                                                 "splits",        "squares",
                                                 "square_sums",   "recombinations",
                                                 "ntt_4096",      "ntt_8192",
                                                 "ntt_16384",     "ntt_32768",
                                                 "ntt_65536",     "key_products",
                                                 "conversions",   "products",
                                                 "slice_bytes",   "slices",
                                                 "calls",         "blocks",
                                                 "bytes",         "inputs",
                                                 "tasks",         "periodic_products",
                                                 "permutations",  "run_reads"};
  return kNames[index(t)];
}

Term ntt_term(std::size_t n) {
  const int log_n = std::countr_zero(n);
  return static_cast<Term>(static_cast<int>(index(Term::ntt_4096)) + std::clamp(log_n, 12, 16) - 12);
}

double Rates::seconds(const Work& work) const {
  double s = 0;
  for (std::size_t t = 0; t < kTerms; ++t) s += work[t] / per_second[t];
  return s;
}

Rates MachineRates::at(int count) const {
  if (count <= 1 || threads <= 1) return one;
  const double share = std::min(1.0, static_cast<double>(count - 1) / static_cast<double>(threads - 1));
  Rates r;
  for (std::size_t t = 0; t < kTerms; ++t)
    r.per_second[t] = 1 / ((1 - share) / one.per_second[t] + share / all.per_second[t]);
  return r;
}

}  // namespace velum::plan
