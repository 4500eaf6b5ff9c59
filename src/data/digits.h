// Digit images in the style of handwriting, drawn by a program: a data set that needs no download.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "data/dataset.h"

namespace velum::data {

inline constexpr std::size_t kDigitSide = 28;
inline constexpr std::size_t kDigitPixels = kDigitSide * kDigitSide;

// How many images a split of `digits` has: 60,000 for training, 5,000 for validation, 10,000 for testing. The
// splits are drawn from streams of their own, so they share no image.
std::size_t digits_in(Split split);

// Draws image `index` of a split and returns its class, 0 to 9. A function of its arguments alone: only
// integer arithmetic and exactly rounded floating-point operations are used, so every machine draws the same
// bytes.
std::int32_t draw_digit(std::uint64_t seed, Split split, std::uint64_t index,
                        std::span<std::uint8_t, kDigitPixels> pixels);

Dataset load_digits(const LoadOptions& options);

}  // namespace velum::data
