#include "train/fit.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace velum::train {

void ReluMoments::add(double x) {
  add(x, std::max(x, 0.0));
}

void ReluMoments::add(double x, double r) {
  const double x2 = x * x;
  power[0] += 1;
  power[1] += x;
  power[2] += x2;
  power[3] += x2 * x;
  power[4] += x2 * x2;
  target[0] += r;
  target[1] += r * x;
  target[2] += r * x2;
}

ReluMoments& ReluMoments::operator+=(const ReluMoments& other) {
  for (std::size_t k = 0; k < power.size(); ++k) power[k] += other.power[k];
  for (std::size_t k = 0; k < target.size(); ++k) target[k] += other.target[k];
  return *this;
}

std::optional<QuadraticCoefficients> fit_relu(const ReluMoments& m) {
  const double n = m.power[0];
  if (n < 3) return std::nullopt;
  // In units of the root mean square the 3x3 system has entries near 1, so a pivot can be judged absolutely.
  const double rms = std::sqrt(m.power[2] / n);
  if (!(rms > 1e-9) || !std::isfinite(rms)) return std::nullopt;
  std::array<double, 5> s{};
  std::array<double, 3> t{};
  double unit = n;
  for (std::size_t k = 0; k < 5; ++k, unit *= rms) s[k] = m.power[k] / unit;
  unit = n * rms;
  for (std::size_t k = 0; k < 3; ++k, unit *= rms) t[k] = m.target[k] / unit;

  // Rows: coefficients of (c, b, a), right-hand side.
  std::array<std::array<double, 4>, 3> rows{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) rows[i][j] = s[i + j];
    rows[i][3] = t[i];
  }
  for (std::size_t column = 0; column < 3; ++column) {
    std::size_t pivot = column;
    for (std::size_t i = column + 1; i < 3; ++i)
      if (std::abs(rows[i][column]) > std::abs(rows[pivot][column])) pivot = i;
    if (std::abs(rows[pivot][column]) < 1e-6) return std::nullopt;
    std::swap(rows[pivot], rows[column]);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == column) continue;
      const double factor = rows[i][column] / rows[column][column];
      for (std::size_t j = column; j < 4; ++j) rows[i][j] -= factor * rows[column][j];
    }
  }
  const auto solved = [&](std::size_t i) { return rows[i][3] / rows[i][i]; };
  // Back from units of rms: relu(x)/rms = a' (x/rms)^2 + b' (x/rms) + c'.
  return QuadraticCoefficients{solved(2) / rms, solved(1), solved(0) * rms};
}

std::optional<QuadraticCoefficients> fit_relu_with(double a, const ReluMoments& m) {
  // Minimises sum (b x + c - t)^2 with t = relu(x) - a x^2: the regression of t on x.
  const double n = m.power[0];
  if (n < 2) return std::nullopt;
  const double mean = m.power[1] / n, square = m.power[2] / n, variance = square - mean * mean;
  if (!(variance > 1e-6 * square) || !std::isfinite(square)) return std::nullopt;
  const double t = (m.target[0] - a * m.power[2]) / n, tx = (m.target[1] - a * m.power[3]) / n;
  const double b = (tx - t * mean) / variance;
  return QuadraticCoefficients{a, b, t - b * mean};
}

std::optional<QuadraticCoefficients> fit_relu(std::span<const float> samples) {
  ReluMoments m;
  for (const float x : samples) m.add(x);
  return fit_relu(m);
}

}  // namespace velum::train
