#include "ckks/core/encoder.h"

#include <cmath>

#include "base/aligned_buffer.h"
#include "base/error.h"
#include "ckks/core/fft.h"

namespace velum::ckks {

struct Encoder::Tables {
  Tables(RingType ring, std::size_t dimension)
      : type(ring), n(dimension), transform(ring::slot_count(ring, dimension)) {}
  RingType type;
  std::size_t n;
  ComplexTransform transform;
};

namespace {

// Largest |value| * scale: coefficients are averages of the scaled slots, and a sum of two must stay below
// 2^62.
constexpr double kLargestScaled = 0x1p61;

void check_scale(double scale) {
  if (!(scale > 0) || !std::isfinite(scale)) fail_user("scale {}: a positive number is needed", scale);
}

[[noreturn]] void refuse_value(std::span<const double> values, double scale) {
  std::size_t j = 0;
  while (std::abs(values[j]) * scale < kLargestScaled) ++j;
  fail_user(
      "value {} of slot {} cannot be encoded at scale 2^{:.2f}: finite values below 2^{:.2f} are allowed",
      values[j], j, std::log2(scale), std::log2(kLargestScaled / scale));
}

}  // namespace

Encoder::Encoder(RingType type, std::size_t n) : tables_(std::make_shared<const Tables>(type, n)) {}

std::size_t Encoder::slots() const {
  return tables_->transform.size();
}

// Inverse fold. Standard: b_j = a_j + i a_{j+N/2}. Real: b_j = a_j - i a_{N-j}, and the slots are real, so
// that a is the real part of b.
void Encoder::encode(std::span<std::int64_t> coefficients, std::span<const double> values,
                     double scale) const {
  const std::size_t m = slots();
  if (values.size() > m) fail_user("{} values for {} slots; split the batch", values.size(), m);
  if (coefficients.size() != tables_->n)
    fail_user("encode: room for {} coefficients, ring dimension {}", coefficients.size(), tables_->n);
  check_scale(scale);
  bool allowed = true;
  for (const double v : values) allowed &= std::abs(v) * scale < kLargestScaled;  // false for NaN too
  if (!allowed) refuse_value(values, scale);

  SecretBuffer<double> b(2 * m);
  double* re = b.data();
  double* im = re + m;
  const auto& leaf = tables_->transform.leaf_of_slot();
  for (std::size_t j = 0; j < values.size(); ++j) re[leaf[j]] = values[j];
  tables_->transform.inverse_unscaled(re, im);
  const double factor = scale / static_cast<double>(m);  // m is a power of two: exact
  for (std::size_t j = 0; j < m; ++j) coefficients[j] = std::llrint(re[j] * factor);
  if (tables_->type == RingType::standard)
    for (std::size_t j = 0; j < m; ++j) coefficients[m + j] = std::llrint(im[j] * factor);
}

void Encoder::decode(std::span<double> values, std::span<const double> coefficients, double scale) const {
  const std::size_t m = slots();
  if (values.size() > m) fail_user("{} values asked of {} slots", values.size(), m);
  if (coefficients.size() != tables_->n)
    fail_user("decode: {} coefficients, ring dimension {}", coefficients.size(), tables_->n);
  check_scale(scale);

  SecretBuffer<double> b(2 * m);
  double* re = b.data();
  double* im = re + m;
  const double* a = coefficients.data();
  for (std::size_t j = 0; j < m; ++j) re[j] = a[j];
  if (tables_->type == RingType::standard) {
    for (std::size_t j = 0; j < m; ++j) im[j] = a[m + j];
  } else {
    for (std::size_t j = 1; j < m; ++j) im[j] = -a[m - j];
  }
  tables_->transform.forward(re, im);
  const auto& leaf = tables_->transform.leaf_of_slot();
  for (std::size_t j = 0; j < values.size(); ++j) values[j] = re[leaf[j]] / scale;
}

}  // namespace velum::ckks
