#include <algorithm>

#include "framed_plan.h"
#include "plan/files.h"
#include "plan/passes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace velum;
  const auto file = fuzz::frame_plan(FileType::server_plan, {data, size});
  fuzz::read_or_refuse([&] {
    const auto plan = plan::read_server_plan(file, "file");
    fuzz::require(plan::write_server_plan(plan) == file, "one file for one plan");
    fuzz::require(!plan::to_text(plan).empty(), "a plan that was read can be printed");
  });
  return 0;
}
