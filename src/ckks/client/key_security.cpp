#include "ckks/client/key_security.h"

#include <cmath>

#include "base/error.h"

namespace velum::ckks {

void check_key_security(const Parameters& params, std::size_t limbs, SecurityTable table) {
  const auto security = params.literal().security;
  if (security == Security::none) return;
  double bits = 0;
  for (std::size_t i = 0; i < params.ring().count(); ++i)
    if (i < limbs || i >= params.limbs()) bits += std::log2(static_cast<double>(params.ring().q(i)));
  const int limit = table(params.n(), security);
  if (bits > limit)
    fail_user("a key over {:.2f} bits of moduli at ring dimension {}: at most {} for {} bits of security",
              bits, params.n(), limit, static_cast<int>(security));
}

}  // namespace velum::ckks
