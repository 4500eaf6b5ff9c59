#include "data/npy.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  const auto file = data::source_of({data, size});
  for (const auto axes : {data::Axes::channels_first, data::Axes::channels_last})
    for (const bool declared : {false, true})
      fuzz::read_or_refuse([&] {
        data::Dataset set;
        data::LoadOptions options;
        if (declared) options.values = data::ValueRange{-3, 1000};
        const auto header = data::read_npy_header(file, "file");
        data::images_from_npy(header, data::read_from(file, header.begin, "file"), axes, options, "file",
                              set);
        fuzz::require(set.count() * set.elements() == set.images.size(), "whole images");
        for (const auto pixel : set.images) fuzz::require(pixel >= 0 && pixel <= 1, "pixels from 0 to 1");
      });
  fuzz::read_or_refuse([&] {
    const auto header = data::read_npy_header(file, "file");
    for (const auto label :
         data::labels_from_npy(header, data::read_from(file, header.begin, "file"), "file"))
      fuzz::require(label >= 0, "labels from 0");
  });
  return 0;
}
