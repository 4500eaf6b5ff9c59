#include "train/device.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <charconv>

#include "base/error.h"

namespace velum::train {

torch::Device find_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  // torch's name for Intel's GPUs; the tests bring a stand-in of that name.
  if (name == "xpu" && c10::impl::hasDeviceGuardImpl(c10::DeviceType::XPU)) return {c10::DeviceType::XPU, 0};
  int index = 0;
  bool good = name == "cuda";
  if (name.starts_with("cuda:")) {
    const auto* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + 5, end, index);
    good = parsed.ec == std::errc() && parsed.ptr == end && index >= 0;
  }
  if (!good) fail_user("device \"{}\": unknown; choose cpu, cuda or cuda:K", name);
  if (!torch::cuda::is_available())
    fail_user(
        "device {}: this libtorch ({}) finds no CUDA device; use --device cpu, or a build with CUDA on a "
        "machine that has one",
        name, TORCH_VERSION);
  // size_t in older libtorch, a signed byte in newer
  if (const auto count = static_cast<int>(torch::cuda::device_count()); index >= count)
    fail_user("device {}: the machine has {} CUDA devices, from cuda:0 on", name, count);
  return {torch::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

torch::Device device_of(const torch::nn::Module& network) {
  const auto parameters = network.parameters();
  return parameters.empty() ? torch::Device(torch::kCPU) : parameters.front().device();
}

}  // namespace velum::train
