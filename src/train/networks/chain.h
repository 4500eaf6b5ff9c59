// Builds descriptions layer by layer: appends to a current tensor and keeps its shape; branches start from a
// remembered place.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/network_spec.h"

namespace velum::train {

struct Padding {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
};
inline Padding same(std::int64_t pad) {
  return {pad, pad, pad, pad};
}

class Chain {
 public:
  explicit Chain(const NetworkRequest& request);

  // Convolution, batch norm and, unless told otherwise, activation. Throws Error(user) where the image is too
  // small.
  void convolution(std::int64_t outputs, std::int64_t kernel, std::int64_t stride, Padding pad,
                   bool activated = true);
  // Average pooling, or max pooling where the request asks for it.
  void pool(std::int64_t kernel, std::int64_t stride);
  void pool(std::int64_t kernel) { pool(kernel, kernel); }
  void flatten();
  // Dense layer, batch norm, activation.
  void dense(std::int64_t outputs);
  void normalise();
  void activate();

  struct Place {
    std::string tensor;
    model::Shape shape;
  };
  Place place() const { return {last_, shape_}; }
  void go_to(const Place& place);
  void add(const Place& other);                          // current + other
  void concatenate(const std::vector<Place>& branches);  // channels

  // The end: a dense layer to the classes, or a 1x1 convolution to them and the mean over positions.
  NetworkSpec classify() &&;
  NetworkSpec classify_by_mean() &&;       // mean over positions, then a dense layer
  NetworkSpec classify_by_positions() &&;  // a 1x1 convolution to the classes, then the mean over positions

 private:
  std::int64_t widened(std::int64_t channels) const;
  void append(std::string name, LayerOperation op, model::Shape shape);
  void drop_out();
  void mean_over_positions();

  const NetworkRequest& request_;
  NetworkSpec spec_;
  model::Shape shape_;
  std::string last_ = "input";
  int convolutions_ = 0, pools_ = 0, dense_ = 0, joins_ = 0;
};

}  // namespace velum::train
