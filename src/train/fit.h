// Least-squares quadratics: the start of a trainable activation that replaces ReLU.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace velum::train {

// a x^2 + b x + c.
struct QuadraticCoefficients {
  double a = 0, b = 0, c = 0;
};

// The fit to ReLU under a standard normal input, which is what batch norm gives before training:
// |x| ~ p + p x^2 with p = sqrt(2/pi) / 2, since E|x| = p + p and E|x|x^2 = p + 3p.
inline constexpr QuadraticCoefficients kNormalFit{0.19947114020071635, 0.5, 0.19947114020071635};

// Sums over samples x of one unit: x^k for k = 0..4, and relu(x) x^k for k = 0..2.
struct ReluMoments {
  std::array<double, 5> power{};
  std::array<double, 3> target{};
  void add(double x);
  void add(double x, double y);  // of another function than ReLU, y = f(x)
  ReluMoments& operator+=(const ReluMoments& other);
};

// Minimises sum (a x^2 + b x + c - relu(x))^2 by its normal equations. Nothing where the samples do not
// determine three coefficients (fewer than three distinct values, or nearly so).
std::optional<QuadraticCoefficients> fit_relu(const ReluMoments& moments);
std::optional<QuadraticCoefficients> fit_relu(std::span<const float> samples);
// The same with a given: b and c alone. Nothing where the samples do not determine two coefficients.
std::optional<QuadraticCoefficients> fit_relu_with(double a, const ReluMoments& moments);

// The curvature of the least-squares fit to ReLU evenly over [-r, r], which is
//   15/(32 r) x^2 + x/2 + 3r/32.
// With this a and b = 1/2, |y| <= |x| + |c| for all |x| <= r: what is out there does not grow from layer to
// layer.
constexpr double range_curvature(double r) {
  return 15.0 / 32.0 / r;
}

}  // namespace velum::train
