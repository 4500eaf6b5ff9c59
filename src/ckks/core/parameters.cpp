#include "ckks/core/parameters.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/error.h"
#include "ring/primes.h"

namespace velum::ckks {

namespace {

constexpr std::size_t kMaxModuli = kernels::kMaxKeyDigits;  // with one special prime each is a digit
constexpr std::size_t kMaxSpecial = 16;
constexpr std::size_t kSmallestN = 1 << 10, kLargestN = 1 << 16, kLargestInsecureN = 1 << 10;

void check_dimension(const ParametersLiteral& p) {
  if (p.ring != RingType::real && p.ring != RingType::standard)
    fail_user("parameters: ring type {} is not known; 0 (real) or 1 (standard)", static_cast<int>(p.ring));
  const bool insecure = p.security == Security::none;
  if (!insecure && p.security != Security::bits128 && p.security != Security::bits192 &&
      p.security != Security::bits256)
    fail_user("parameters: security level {} is not offered; 128, 192 or 256", static_cast<int>(p.security));
  const std::size_t low = insecure ? 16 : kSmallestN, high = insecure ? kLargestInsecureN : kLargestN;
  if (!std::has_single_bit(p.n) || p.n < low || p.n > high)
    fail_user("parameters: ring dimension {}: a power of two from {} to {} is needed{}", p.n, low, high,
              insecure ? " without security" : "");
}

void check_moduli(const ParametersLiteral& p) {
  if (p.moduli.empty()) fail_user("parameters: no modulus; at least one is needed");
  if (p.moduli.size() > kMaxModuli || p.special.size() > kMaxSpecial)
    fail_user("parameters: {} moduli and {} special primes, at most {} and {}", p.moduli.size(),
              p.special.size(), kMaxModuli, kMaxSpecial);
  std::vector<u64> all = p.moduli;
  all.insert(all.end(), p.special.begin(), p.special.end());
  const u64 order = ring::root_order(p.ring, p.n);
  for (const u64 q : all) {
    if (!kernels::modulus_in_range(q))
      fail_user("parameters: modulus {} is out of range: {}", q, kernels::kModulusRange);
    if (q % order != 1) fail_user("parameters: modulus {} is not 1 mod {}, as the ring needs", q, order);
    if (!ring::is_prime(q)) fail_user("parameters: modulus {} is not a prime", q);
  }
  std::ranges::sort(all);
  if (const auto twice = std::ranges::adjacent_find(all); twice != all.end())
    fail_user("parameters: modulus {} appears twice; all moduli must differ", *twice);
}

// A digit of a key switch is at most half the product of its moduli; dividing by a smaller P would leave its
// noise.
void check_special(const ParametersLiteral& p) {
  if (p.special.empty()) return;
  const double special = log2_product(p.special),
               digit = largest_digit_bits(bits_of(p.moduli), p.special.size());
  if (digit > special)
    fail_user(
        "parameters: {} consecutive moduli have {:.2f} bits together, the special primes {:.2f}; the special "
        "primes must be at least as large as any group of {} consecutive moduli",
        p.special.size(), digit, special, p.special.size());
}

void check_security(const ParametersLiteral& p) {
  if (p.security == Security::none) return;
  const double bits = log2_qp(p);
  const int limit = max_log2_qp(p.n, p.security);
  if (bits > limit)
    fail_user(
        "parameters: log2(QP) = {:.2f} at ring dimension {}, at most {} for {} bits of security; use fewer "
        "or smaller "
        "moduli, or a larger ring dimension",
        bits, p.n, limit, static_cast<int>(p.security));
}

// Done before any table is built.
ParametersLiteral checked(ParametersLiteral p) {
  check_dimension(p);
  check_moduli(p);
  check_special(p);
  check_security(p);
  return p;
}

std::vector<u64> all_moduli(const ParametersLiteral& p) {
  std::vector<u64> all = p.moduli;
  all.insert(all.end(), p.special.begin(), p.special.end());
  return all;
}

template <typename Modulus>
std::vector<double> logs_of(std::span<const Modulus> moduli) {
  std::vector<double> bits;
  bits.reserve(moduli.size());
  for (const Modulus q : moduli) bits.push_back(std::log2(static_cast<double>(q)));
  return bits;
}

template <typename Modulus>
double sum_of_logs(std::span<const Modulus> moduli) {
  double sum = 0;
  for (const Modulus q : moduli) sum += std::log2(static_cast<double>(q));
  return sum;
}

}  // namespace

double largest_digit_bits(std::span<const double> moduli, std::size_t special) {
  double most = 0;
  for (std::size_t first = 0; special > 0 && first < moduli.size(); first += special) {
    double digit = 0;
    for (std::size_t i = first; i < std::min(first + special, moduli.size()); ++i) digit += moduli[i];
    most = std::max(most, digit);
  }
  return most;
}

std::vector<double> bits_of(std::span<const u64> moduli) {
  return logs_of(moduli);
}
std::vector<double> bits_of(std::span<const double> moduli) {
  return logs_of(moduli);
}

double log2_product(std::span<const u64> moduli) {
  return sum_of_logs(moduli);
}
double log2_product(std::span<const double> moduli) {
  return sum_of_logs(moduli);
}

std::vector<double> log2_products(std::span<const double> moduli) {
  std::vector<double> sums;
  sums.reserve(moduli.size() + 1);
  sums.push_back(0);
  for (const double q : moduli) sums.push_back(sums.back() + std::log2(q));
  return sums;
}

double log2_qp(const ParametersLiteral& p) {
  return log2_product(p.moduli) + log2_product(p.special);
}

Parameters::Parameters(ParametersLiteral literal)
    : literal_(checked(std::move(literal))),
      ring_(std::make_shared<const ring::Ring>(literal_.ring, literal_.n, all_moduli(literal_))) {
  ByteWriter w;
  write(w);
  crypto_generichash(id_.data(), id_.size(), w.bytes().data(), w.bytes().size(), nullptr, 0);
}

double Parameters::log2_qp() const {
  return ckks::log2_qp(literal_);
}

std::string Parameters::id_text() const {
  std::string text;
  for (const auto byte : id_) text += fmt::format("{:02x}", byte);
  return text;
}

void Parameters::write(ByteWriter& out) const {
  out.put(static_cast<std::uint8_t>(literal_.ring));
  out.put(static_cast<std::uint16_t>(literal_.security));
  out.put(static_cast<std::uint32_t>(literal_.n));
  out.put_array(std::span<const u64>(literal_.moduli));
  out.put_array(std::span<const u64>(literal_.special));
}

Parameters Parameters::read(ByteReader& in) {
  ParametersLiteral p;
  p.ring = static_cast<RingType>(in.get<std::uint8_t>());
  p.security = static_cast<Security>(in.get<std::uint16_t>());
  p.n = in.get<std::uint32_t>();
  p.moduli = in.get_array<u64>(kMaxModuli);
  p.special = in.get_array<u64>(kMaxSpecial);
  if (p.security == Security::none)
    fail_user("{}: parameters without security are for tests and are not read from files", in.what());
  try {
    return Parameters(std::move(p));
  } catch (const Error& e) {
    throw e.within(in.what());
  }
}

}  // namespace velum::ckks
