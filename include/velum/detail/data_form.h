// What images and outputs mean: the part of a plan and of a network that is not arithmetic.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace velum {

/// What is done with an image file of another size than the network's.
enum class Fitting : std::uint8_t {
  stretch = 0,  ///< Each side by itself.
  fit = 1,      ///< The whole image, black beside it.
  crop = 2,     ///< The shorter side fits, then the centre.
};

/// What the outputs are.
enum class OutputKind : std::uint8_t {
  scores = 0,       ///< The largest one is of the class; a single one tells two apart.
  logit = 1,        ///< A single one, whose sigmoid is the second class's probability.
  probability = 2,  ///< A single one that is this probability.
  map = 3,          ///< Not one a class.
};

/// What must be known of images and outputs beside their sizes. Ciphertexts are of pixels from 0 to 1
/// whatever the network was fed with: ranges, means and deviations are in its first layer.
struct DataForm {
  double low = 0;                           ///< Black, as arrays of floats have it.
  double high = 1;                          ///< White.
  bool range_stated = false;                ///< By the user or the file; otherwise 0 to 1 is what is usual.
  bool channels_last = false;               ///< As arrays have them where it is not clear.
  Fitting fitting = Fitting::stretch;       ///< Of image files.
  bool as_they_lie = false;                 ///< Photographs are not turned upright.
  OutputKind outputs = OutputKind::scores;  ///< What they are.
  double threshold = 0;  ///< Of a single output or its probability, above which it is the second class.
  std::vector<std::string> classes;  ///< Names by output; empty: unknown.
};

}  // namespace velum
