// What the ciphertexts of a stage's vector read: by which rotations, and where the weights stand
// (layout/block_map.h has the sums). It follows from the layouts and the supports alone, without weights.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "plan/layout/block_layout.h"
#include "plan/lower/block_weights.h"
#include "plan/lower/network.h"

namespace velum::plan::blocks {

// One weight matrix entry W[., g][t, b]: which source, and the rotations before and after.
struct Term {
  std::int32_t giant = 0;                         // g
  std::uint32_t slice = 0;                        // that t is in
  std::size_t range = 0;                          // of the element network's columns
  std::int32_t baby = 0;                          // b
  std::uint32_t ciphertext = 0;                   // t
  auto operator<=>(const Term&) const = default;  // NOLINT(modernize-use-nullptr): none is there
};

struct Split {
  std::int32_t baby = 0, giant = 0;
};
// Rotation r as b + g: giant 0: all of it is b.
Split split_rotation(std::int32_t r, std::uint32_t giant);

// What ciphertexts whose blocks have the same supports read: elements, by the ciphertext they are in and how
// far away in blocks. This follows from places alone, and is worked out once for all ciphertexts and all ways
// to split rotations.
struct Link {
  std::size_t range = 0;
  std::uint32_t ciphertext = 0;
  std::int32_t rotation = 0;  // r
};
struct Use {
  std::uint32_t block = 0, index = 0;  // of the output, and in its support
  std::uint32_t link = 0;
};
struct Links {
  std::uint32_t blocks = 0;
  std::vector<Link> links;
  std::vector<Use> uses;
};

// `supports` by block, kAbsent where nothing lives.
Links find_links(const Network& net, const std::vector<BlockLayout>& layouts,
                 const std::vector<std::uint32_t>& supports);

// How a stage's terms are split: into giant steps, and its inputs into slices.
struct Cut {
  std::uint32_t giant = 0, slices = 1;
};

// Links with their rotations split.
class Pattern {
 public:
  // `inputs`: ciphertexts of the vector of each range.
  Pattern(const Links& links, const std::vector<std::uint32_t>& supports, const Cut& cut,
          const std::vector<std::uint32_t>& inputs);

  const std::vector<Term>& terms() const { return terms_; }  // by giant step and slice, then by column
  std::uint32_t blocks() const { return links_.blocks; }

  // Whether something lives in the block that this one of a term's sum is rotated to.
  bool reaches_element(std::size_t term, std::uint32_t block) const;

  // Where each term's weights stand.
  WeightPlaces places() const;

 private:
  const Links& links_;
  const std::vector<std::uint32_t>& supports_;
  std::vector<Term> terms_;
  std::vector<std::uint32_t> term_of_link_;
};

// The ciphertexts of a stage's vector, by pattern, in their order.
struct Patterns {
  std::vector<std::vector<std::uint32_t>> supports;     // of each pattern, by block
  std::vector<std::vector<std::uint32_t>> ciphertexts;  // that follow it
};
Patterns patterns_of(const Stage& stage, const BlockLayout& out);

}  // namespace velum::plan::blocks
