#include "base/huge_pages.h"

#include <filesystem>
#include <fstream>

namespace velum {

namespace {

std::string first_word(const std::filesystem::path& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

}  // namespace

bool reports_free_pages(const std::string& devices) {
  constexpr std::size_t kReporting = 5;
  std::error_code error;
  for (std::filesystem::directory_iterator at(devices, error), end; !error && at != end;
       at.increment(error)) {
    if (first_word(at->path() / "device") != "0x0005") continue;
    const auto features = first_word(at->path() / "features");  // a digit a bit, the lowest first
    if (features.size() > kReporting && features[kReporting] == '1') return true;
  }
  return false;
}

bool huge_pages_pay() {
  static const bool pay = !reports_free_pages("/sys/bus/virtio/devices");
  return pay;
}

}  // namespace velum
