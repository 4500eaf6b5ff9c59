#include <algorithm>

#include "framed_plan.h"
#include "plan/files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  const auto file = fuzz::frame_plan(FileType::client_plan, {data, size});
  fuzz::read_or_refuse([&] {
    const auto plan = plan::read_client_plan(file, "file");
    fuzz::require(plan::write_client_plan(plan) == file, "one file for one plan");
    const ckks::Parameters params(plan.params);
    fuzz::require(params.slots() > 0, "usable parameters");
  });
  return 0;
}
