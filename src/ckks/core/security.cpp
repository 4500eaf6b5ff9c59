#include <array>
#include <bit>

#include "ckks/core/parameters.h"

namespace velum::ckks {

namespace {

// Bossuat et al., ePrint 2024/463, table 5.2: classical attacks, uniform ternary secret. See
// docs/decisions/001.
struct Row {
  int bits128, bits192, bits256;  // 0: no modulus of this dimension reaches the level
};
constexpr int kFirstLog = 10;
constexpr std::array<Row, 7> kRows = {{
    {26, 0, 0},
    {53, 36, 27},
    {106, 73, 56},
    {214, 147, 114},
    {430, 297, 230},
    {868, 597, 462},
    {1747, 1199, 929},
}};

}  // namespace

int max_log2_qp(std::size_t n, Security security) {
  if (!std::has_single_bit(n)) return 0;
  const int row = std::countr_zero(n) - kFirstLog;
  if (row < 0 || row >= static_cast<int>(kRows.size())) return 0;
  const Row& r = kRows[static_cast<std::size_t>(row)];
  switch (security) {
    case Security::bits128:
      return r.bits128;
    case Security::bits192:
      return r.bits192;
    case Security::bits256:
      return r.bits256;
    case Security::none:
      break;
  }
  return 0;
}

}  // namespace velum::ckks
