// The layouts that are tried for a network at one number of blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/layout/block_layout.h"
#include "plan/layout/block_map.h"

namespace velum::plan {

struct LayoutChoice {
  std::uint32_t blocks = 1;
  std::string what;  // in a few words, for --explain
  std::vector<BlockLayout> layouts;
  GiantSteps giants;
  InputSlices slices;
  bool few_copies = false;  // slower than the same layouts without: for plans that are short of memory
  std::uint64_t switches = 0, products = 0;  // key switches and products of ciphertexts that follow
  // The most ciphertexts that a stage reads (but for the input), rotates and makes.
  std::uint64_t held = 0;
};

// What a key switch costs, and an input that is sent, read and expanded, in products of a ciphertext by a
// weight.
inline constexpr double kProductsASwitch = 60, kProductsAnInput = 40;

// Ways to lay the network out in P blocks, the most promising first: images in rectangles of blocks with
// channels in ciphertexts of their own or sharing them, the input cut like the first map or gathered tap by
// tap. Empty where P blocks do not suit it.
std::vector<LayoutChoice> layouts_for(const Network& network, std::uint32_t blocks);

}  // namespace velum::plan
