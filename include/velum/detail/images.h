// Images as arrays.
#pragma once

#include <cstddef>

#include "velum/detail/common.h"

namespace velum {

/// Order of an image's numbers.
enum class PixelOrder {
  channels_first,  ///< [channel][row][column], all of one channel together: as PyTorch has it.
  channels_last,   ///< [row][column][channel]: as files and most viewers have it. Only for images of three
                   ///< axes.
};

/// A view of images, one after the other without gaps: it keeps nothing alive, and whoever takes one copies
/// what it keeps. Their size is the network's; a number of values that is no whole number of images is an
/// Error.
class Images {
 public:
  /// Floats, of which `black` and `white` are those of black and white; a value outside by more than rounding
  /// is an Error, and so is one that is not a number. black < white.
  static Images floats(std::span<const float> values, PixelOrder order = PixelOrder::channels_first,
                       double black = 0, double white = 1) {
    Images images;
    images.floats_ = values;
    images.order_ = order;
    images.black_ = black;
    images.white_ = white;
    return images;
  }
  /// Bytes from 0, black, to 255, white.
  static Images bytes(std::span<const std::uint8_t> values, PixelOrder order = PixelOrder::channels_first) {
    Images images;
    images.bytes_ = values;
    images.is_bytes_ = true;
    images.order_ = order;
    images.white_ = 255;
    return images;
  }

  /// @cond detail
  std::span<const float> float_values() const { return floats_; }
  std::span<const std::uint8_t> byte_values() const { return bytes_; }
  bool is_bytes() const { return is_bytes_; }
  PixelOrder order() const { return order_; }
  double black() const { return black_; }
  double white() const { return white_; }

 private:
  std::span<const float> floats_;
  std::span<const std::uint8_t> bytes_;
  bool is_bytes_ = false;
  PixelOrder order_ = PixelOrder::channels_first;
  double black_ = 0, white_ = 1;
  /// @endcond
};

}  // namespace velum
