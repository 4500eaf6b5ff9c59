// The most multiply-adds of 16-bit numbers that one core can do from registers: the limit of the digit
// products.
#pragma once

#include <cstddef>
#include <string_view>

namespace velum::bench {

// Runs `rounds` rounds of independent dot-product instructions for the kernel variant of this name, on
// registers alone, and returns the number of 16-bit multiply-adds done; 0 where the variant has no such
// instruction.
double dot_product_rounds(std::string_view variant, std::size_t rounds);

}  // namespace velum::bench
