#include "data/cifar10.h"

#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  fuzz::read_or_refuse([&] {
    fuzz::require(data::check_cifar10_size(size, "file") * data::kCifarRecord == size, "whole records");
    data::check_cifar10({data, size}, 0, "file");
  });
  return 0;
}
