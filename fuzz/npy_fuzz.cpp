#include "data/npy.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  for (const auto axes : {data::Axes::channels_first, data::Axes::channels_last})
    fuzz::read_or_refuse([&] {
      data::Dataset set;
      data::images_from_npy(data::read_npy({data, size}, "file"), axes, 0, "file", set);
      fuzz::require(set.count() * set.elements() == set.images.size(), "whole images");
      for (const auto pixel : set.images) fuzz::require(pixel >= 0 && pixel <= 1, "pixels from 0 to 1");
    });
  fuzz::read_or_refuse([&] {
    for (const auto label : data::labels_from_npy(data::read_npy({data, size}, "file"), "file"))
      fuzz::require(label >= 0, "labels from 0");
  });
  return 0;
}
