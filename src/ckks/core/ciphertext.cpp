#include "ckks/core/ciphertext.h"

#include <algorithm>

#include "base/error.h"
#include "ring/samplers.h"

namespace velum::ckks {

Ciphertext::Ciphertext(const Parameters& params, std::size_t polys, std::size_t limbs, double scale)
    : polys_(polys), limbs_(limbs), n_(params.n()), scale_(scale) {
  if (polys < 2 || polys > 3) fail_user("a ciphertext has 2 or 3 polynomials, not {}", polys);
  if (limbs < 1 || limbs > params.limbs())
    fail_user("a ciphertext of {} limbs under parameters that have {}", limbs, params.limbs());
  data_ = AlignedBuffer<u64>(polys * limbs * n_);
}

Ciphertext Ciphertext::clone() const {
  Ciphertext c;
  c.polys_ = polys_;
  c.limbs_ = limbs_;
  c.n_ = n_;
  c.scale_ = scale_;
  c.data_ = data_.clone();
  return c;
}

void expand_limb(u64* out, const Seed& seed, std::size_t limb, std::size_t n, const kernels::Modulus& m) {
  ring::expand_uniform(out, n, m, seed, limb);
}

void expand(View out, const SeededCiphertext& in, const Parameters& params) {
  if (out.polys < 2 || out.limbs > in.limbs || out.n != params.n() || in.c0.size() < in.limbs * params.n())
    fail_user(
        "expand: a ciphertext of {} limbs into {} polynomials of {} limbs and dimension {}; 2 of at most {} "
        "and {}",
        in.limbs, out.polys, out.limbs, out.n, in.limbs, params.n());
  for (std::size_t l = 0; l < out.limbs; ++l) {
    std::copy_n(in.c0.data() + l * out.n, out.n, out.limb(0, l));
    expand_limb(out.limb(1, l), in.seed, l, out.n, params.ring().modulus(l));
  }
}

std::size_t packed_limb_bytes(const Parameters& params, std::size_t limb) {
  return packed_limb_bytes(params.n(), params.ring().q(limb));
}

void pack_limb(std::uint8_t* out, const u64* x, const Parameters& params, std::size_t limb) {
  kernels::table().pack_bits(out, x, params.n(), kernels::bit_width(params.ring().q(limb)));
}

void unpack_limb(u64* out, std::span<const std::uint8_t> in, const Parameters& params, std::size_t limb,
                 const std::string& what) {
  if (in.size() != packed_limb_bytes(params, limb))
    fail_user("{}: {} bytes for limb {}, {} expected", what, in.size(), limb,
              packed_limb_bytes(params, limb));
  const u64 q = params.ring().q(limb);
  const u64 largest = kernels::table().unpack_bits(out, in.data(), params.n(), kernels::bit_width(q));
  if (largest >= q)
    fail_user("{}: corrupt: limb {} holds the residue {}, its modulus is {}; make or copy the file again",
              what, limb, largest, q);
}

}  // namespace velum::ckks
