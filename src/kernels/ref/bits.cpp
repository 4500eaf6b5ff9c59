// Residues packed at their modulus' width: little-endian bit order, eight values take exactly `bits` bytes.
#include "kernels/ref/ref.h"

namespace velum::kernels::ref {

void pack_bits(std::uint8_t* out, const u64* x, std::size_t n, int bits) {
  u64 pending = 0;  // bits not yet written, fewer than 8 between values
  int count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    pending |= x[i] << count;
    for (count += bits; count >= 8; count -= 8, pending >>= 8) *out++ = static_cast<std::uint8_t>(pending);
  }
}

u64 unpack_bits(u64* out, const std::uint8_t* in, std::size_t n, int bits) {
  const u64 mask = (u64{1} << bits) - 1;
  u64 pending = 0, largest = 0;
  int count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (; count < bits; count += 8) pending |= static_cast<u64>(*in++) << count;
    out[i] = pending & mask;
    largest = out[i] > largest ? out[i] : largest;
    pending >>= bits;
    count -= bits;
  }
  return largest;
}

}  // namespace velum::kernels::ref
