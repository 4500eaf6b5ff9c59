// What a network takes as pixels, stated or found, folded into the network once and for all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::model {

// What the user says, in the units of the range: a network that takes (p - mean) / deviation of pixels p from
// low to high.
struct StatedPixels {
  std::optional<Range> range;  // low and high
  std::vector<double> mean, deviation;
  bool unless_recorded =
      false;  // a file that holds its own is left as it is (a teacher, beside another network)
  bool any() const { return range || !mean.empty() || !deviation.empty(); }
  Pixels pixels() const;  // of a network that nothing else is known of
};

// From the options' texts, empty where not given: "LO,HI", and one number or one a channel. Throws
// Error(user) with the option's name.
StatedPixels parse_pixels(const std::string& range, const std::string& mean, const std::string& deviation);

// --shape C,H,W; empty where not given. Throws Error(user).
Shape parse_shape(const std::string& text);

// The layer that makes of an image from 0 to 1 what a network takes. Throws Error(user) where mean or
// deviation have neither one number nor one a channel.
ScaleShift pixels_layer(const Pixels& pixels, const Shape& image);

// Puts that layer in front of the graph, for what the file takes: as stated, as its metadata
// records (then there is nothing left to do), from 0 to 255 where it takes integers or where the first thing
// it does is to divide by 255 or 127.5 (within 1 %, an offset before or after); otherwise images are taken as
// they are. Exact where the next layer pads with zeros: the padding comes behind. Throws Error(user) where
// what is stated does not fit.
void take_pixels(Graph& g, const StatedPixels& stated);

// For people: "0 to 255 (its first step divides by 255)".
std::string pixels_text(const Pixels& pixels);

// Key of the metadata that records a range, "LO HI", for a file that takes images from 0 to 1.
inline constexpr const char* kPixels = "pixels";
// What a file that Velum writes of this graph is to record under that key; empty: nothing.
std::string pixels_record(const Pixels& pixels);

}  // namespace velum::model
