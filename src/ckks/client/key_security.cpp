#include "ckks/client/key_security.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/error.h"

namespace velum::ckks {

void check_key_security(const Parameters& params, std::size_t limbs, SecurityTable table) {
  const auto security = params.literal().security;
  if (security == Security::none) return;
  // The key's moduli, and one sum over them in the order of the ring's.
  const auto& special = params.literal().special;
  const auto lowest = std::span(params.literal().moduli).first(std::min(limbs, params.limbs()));
  std::vector<u64> moduli(lowest.begin(), lowest.end());
  moduli.insert(moduli.end(), special.begin(), special.end());
  const double bits = log2_product(moduli);
  const int limit = table(params.n(), security);
  if (bits > limit)
    fail_user("a key over {:.2f} bits of moduli at ring dimension {}: at most {} for {} bits of security",
              bits, params.n(), limit, static_cast<int>(security));
}

}  // namespace velum::ckks
