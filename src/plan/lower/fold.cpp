#include "plan/lower/fold.h"

#include <algorithm>
#include <cmath>

namespace velum::plan {

namespace {

// A square term this much smaller than the linear one, over the whole range, is below what any precision
// sees.
constexpr double kNegligible = 1e-9;

}  // namespace

bool QuadraticCoefficients::linear() const {
  return std::all_of(a.begin(), a.end(), [](double x) { return x == 0; });
}

QuadraticCoefficients coefficients_of(const model::Quadratic& q, const model::Shape& shape) {
  return {model::broadcast(q.a, shape), model::broadcast(q.b, shape), model::broadcast(q.c, shape)};
}

FoldedQuadratic fold(const QuadraticCoefficients& q, double magnitude, const std::vector<double>* shift) {
  const std::size_t n = q.a.size();
  FoldedQuadratic f{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n),
                    std::vector<double>(n), 0};
  for (std::size_t i = 0; i < n; ++i) {
    const double a = q.a[i], b = q.b[i], c = q.c[i];
    const bool flat = std::fabs(a) * magnitude <= kNegligible * std::fabs(b);
    const double beta = flat ? 0 : b / (2 * a);
    const bool completed = !flat && std::fabs(beta) <= kLargestShift * magnitude;
    double s = completed ? beta : 0;
    if (shift) s = (*shift)[i];
    f.shift[i] = s;
    f.square[i] = flat ? 0 : a;
    // a (t - s)^2 + b (t - s) + c
    const bool exact = completed && s == beta;
    f.plain[i] = exact ? 0 : b - 2 * f.square[i] * s;
    f.constant[i] = exact ? c - b * beta / 2 : f.square[i] * s * s - b * s + c;
    f.lifted += f.plain[i] != 0 ? 1 : 0;
  }
  return f;
}

}  // namespace velum::plan
