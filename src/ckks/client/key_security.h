// Every key is a sample of the hard problem under its own moduli, and is held to the security table by
// itself.
#pragma once

#include "ckks/core/parameters.h"

namespace velum::ckks {

using SecurityTable = int (*)(std::size_t n, Security security);

// Refuses a key of `limbs` moduli and all special primes that is over the table. Parameters are checked with
// all of their moduli, so that none is as long as the tables are the same: this stands behind that check.
void check_key_security(const Parameters& params, std::size_t limbs, SecurityTable table = max_log2_qp);

}  // namespace velum::ckks
