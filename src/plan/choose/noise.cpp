#include "plan/choose/noise.h"

#include "ring/samplers.h"

namespace velum::plan {

namespace {

// Mean square of the whole complex evaluation; the secret multiplies as such, whatever part is used
// afterwards.
double evaluation_norm(ring::RingType ring, double n) {
  return ring == ring::RingType::real ? 2 * n : n;
}

constexpr double kUniform = 1.0 / 12, kSecret = 2.0 / 3,
                 kError = ring::kErrorDeviation * ring::kErrorDeviation;

}  // namespace

double slot_variance(ring::RingType ring, double n) {
  return ring == ring::RingType::real ? 2 * n : n / 2;
}

double fresh_variance(ring::RingType ring, double n) {
  return slot_variance(ring, n) * (kError + kUniform);
}

double public_fresh_variance(ring::RingType ring, double n) {
  return slot_variance(ring, n) * (kError * (1 + 2 * evaluation_norm(ring, n) * kSecret) + kUniform);
}

double rounding_variance(ring::RingType ring, double n) {
  return slot_variance(ring, n) * kUniform * (1 + evaluation_norm(ring, n) * kSecret);
}

double key_switch_variance(ring::RingType ring, double n, double digits) {
  return digits * slot_variance(ring, n) * kUniform * evaluation_norm(ring, n) * kError;
}

double periodic_rounding(double blocks) {
  return (2 * blocks - 1) * kUniform;
}

}  // namespace velum::plan
