#include "plan/meaning.h"

#include <cmath>

namespace velum::plan {

namespace {

bool has_own_tensor(const Meaning& m) {
  return m.terms.size() == 1 && !m.squared;
}

}  // namespace

std::vector<double> expected_elements(const Meaning& m, const TensorOf& tensor) {
  auto out = m.offset;
  for (const auto& term : m.terms) {
    const auto values = tensor(term.tensor);
    for (std::size_t e = 0; e < out.size(); ++e) out[e] += term.factor[e] * values[m.position[e]];
  }
  if (m.squared)
    for (auto& x : out) x *= x;
  return out;
}

double unit_in_tensor(const Meaning& m, std::size_t element) {
  return has_own_tensor(m) ? 1 / std::fabs(m.terms[0].factor[element]) : 1;
}

double reference(const Meaning& m, std::size_t element, double expected) {
  return has_own_tensor(m) ? (expected - m.offset[element]) / m.terms[0].factor[element] : expected;
}

Meaning select(const Meaning& m, std::span<const std::uint32_t> elements) {
  Meaning out;
  out.squared = m.squared;
  for (const auto& term : m.terms) {
    out.terms.push_back({term.tensor, {}});
    for (const auto e : elements) out.terms.back().factor.push_back(term.factor[e]);
  }
  for (const auto e : elements) {
    out.position.push_back(m.position[e]);
    out.offset.push_back(m.offset[e]);
  }
  return out;
}

}  // namespace velum::plan
