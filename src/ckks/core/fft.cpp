#include "ckks/core/fft.h"

#include <cmath>
#include <numbers>

namespace velum::ckks {

namespace {

// Below this many points a subtree's data lies in the first-level cache, and level by level is the faster
// order.
constexpr std::size_t kBreadthFirst = 1024;

struct Roots {
  const double* re;
  const double* im;
};

// One node forward: halves (u, v) become u + r v and u - r v.
inline void split(double* __restrict ur, double* __restrict ui, double* __restrict vr, double* __restrict vi,
                  std::size_t half, double rr, double ri) {
  for (std::size_t j = 0; j < half; ++j) {
    const double tr = vr[j] * rr - vi[j] * ri, ti = vr[j] * ri + vi[j] * rr;
    vr[j] = ur[j] - tr;
    vi[j] = ui[j] - ti;
    ur[j] += tr;
    ui[j] += ti;
  }
}

// One node back, without the factor 1/2: (u, v) become u + v and (u - v) / r, where 1 / r is the conjugate.
inline void join(double* __restrict ur, double* __restrict ui, double* __restrict vr, double* __restrict vi,
                 std::size_t half, double rr, double ri) {
  for (std::size_t j = 0; j < half; ++j) {
    const double dr = ur[j] - vr[j], di = ui[j] - vi[j];
    ur[j] += vr[j];
    ui[j] += vi[j];
    vr[j] = dr * rr + di * ri;
    vi[j] = di * rr - dr * ri;
  }
}

void forward_node(double* re, double* im, std::size_t m, std::size_t node, const Roots& r) {
  if (m > kBreadthFirst) {
    const std::size_t half = m / 2;
    split(re, im, re + half, im + half, half, r.re[node], r.im[node]);
    forward_node(re, im, half, 2 * node, r);
    forward_node(re + half, im + half, half, 2 * node + 1, r);
    return;
  }
  for (std::size_t size = m, first = node; size > 1; size /= 2, first *= 2)
    for (std::size_t at = 0, k = first; at < m; at += size, ++k)
      split(re + at, im + at, re + at + size / 2, im + at + size / 2, size / 2, r.re[k], r.im[k]);
}

void inverse_node(double* re, double* im, std::size_t m, std::size_t node, const Roots& r) {
  if (m > kBreadthFirst) {
    const std::size_t half = m / 2;
    inverse_node(re, im, half, 2 * node, r);
    inverse_node(re + half, im + half, half, 2 * node + 1, r);
    join(re, im, re + half, im + half, half, r.re[node], r.im[node]);
    return;
  }
  for (std::size_t size = 2; size <= m; size *= 2)
    for (std::size_t at = 0, k = node * (m / size); at < m; at += size, ++k)
      join(re + at, im + at, re + at + size / 2, im + at + size / 2, size / 2, r.re[k], r.im[k]);
}

}  // namespace

ComplexTransform::ComplexTransform(std::size_t m) : m_(m), root_re_(m), root_im_(m), leaf_of_slot_(m) {
  const std::size_t order = 4 * m;
  // Exponents of nodes 1 .. 2m - 1; the leaves are m .. 2m - 1.
  std::vector<std::size_t> exponent(2 * m);
  exponent[1] = m;
  for (std::size_t k = 2; k < 2 * m; ++k) exponent[k] = exponent[k / 2] / 2 + (k % 2 ? order / 2 : 0);
  for (std::size_t k = 1; k < m; ++k) {
    const std::size_t half = exponent[k] / 2;
    const double angle = 2 * std::numbers::pi * static_cast<double>(half) / static_cast<double>(order);
    root_re_[k] = std::cos(angle);
    root_im_[k] = std::sin(angle);
  }
  std::vector<std::uint32_t> leaf_of_exponent(order);
  for (std::size_t k = 0; k < m; ++k)
    leaf_of_exponent[exponent[m + k] % order] = static_cast<std::uint32_t>(k);
  std::size_t e = 1;
  for (std::size_t j = 0; j < m; ++j, e = e * 5 % order) leaf_of_slot_[j] = leaf_of_exponent[e];
}

void ComplexTransform::forward(double* re, double* im) const {
  forward_node(re, im, m_, 1, {root_re_.data(), root_im_.data()});
}

void ComplexTransform::inverse_unscaled(double* re, double* im) const {
  inverse_node(re, im, m_, 1, {root_re_.data(), root_im_.data()});
}

}  // namespace velum::ckks
