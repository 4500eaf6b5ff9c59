#include "model/input_statistics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/parallel.h"

namespace velum::model {

namespace {

constexpr double kParts = 64;
// Elements that never change, as the corners of handwritten digits, are given this share of the range.
constexpr double kLeastDeviation = 1.0 / 8;
// Of the ordinary images' width, on both sides; more where few images say little of the others.
constexpr double kMargin = 0.1, kMarginImages = 30;
// One image in so many is left out at each end before the limits are taken, or outliers would set them.
constexpr std::size_t kOutliers = 500;

using Numbers = std::array<double, InputStatistics::kNumbers>;

class Measure {
 public:
  Measure(const InputStatistics& statistics, double low, double high)
      : statistics_(statistics), low_(low), width_(high - low) {}

  Numbers operator()(std::span<const float> image) const {
    double sum = 0, squares = 0, steps = 0, distance = 0, before = 0;
    for (std::size_t e = 0; e < image.size(); ++e) {
      const double x = (static_cast<double>(image[e]) - low_) / width_;
      sum += x;
      squares += x * x;
      if (e > 0) steps += std::fabs(x - before);
      before = x;
      const double z =
          (x - statistics_.mean[e] / kParts) / std::max(statistics_.deviation[e] / kParts, kLeastDeviation);
      distance += z * z;
    }
    const auto n = static_cast<double>(image.size());
    const double mean = sum / n;
    return {mean, std::sqrt(std::max(0.0, squares / n - mean * mean)), steps / std::max(1.0, n - 1),
            std::sqrt(distance / n)};
  }

 private:
  const InputStatistics& statistics_;
  double low_, width_;
};

std::vector<Numbers> measure_all(const Measure& measure, std::span<const float> images,
                                 std::size_t elements) {
  std::vector<Numbers> all(images.size() / elements);
  parallel_for(all.size(),
               [&](std::size_t i, int) { all[i] = measure(images.subspan(i * elements, elements)); });
  return all;
}

std::uint8_t to_part(double x) {
  return static_cast<std::uint8_t>(std::lround(kParts * std::clamp(x, 0.0, 1.0)));
}

std::int32_t to_limit(double x) {
  return static_cast<std::int32_t>(std::clamp(x, -1e9, 1e9));
}

void measure_elements(InputStatistics& s, std::span<const float> images, std::size_t elements, double low,
                      double high) {
  std::vector<double> sums(elements), squares(elements);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const double x = (static_cast<double>(images[i]) - low) / (high - low);
    sums[i % elements] += x;
    squares[i % elements] += x * x;
  }
  for (std::size_t e = 0; e < elements; ++e) {
    const double mean = sums[e] / s.images;
    s.mean.push_back(to_part(mean));
    s.deviation.push_back(to_part(std::sqrt(std::max(0.0, squares[e] / s.images - mean * mean))));
  }
}

}  // namespace

InputStatistics measure_inputs(std::span<const float> images, std::size_t count, double low, double high) {
  InputStatistics s;
  const bool finite = std::ranges::all_of(images, [](float x) { return std::isfinite(x); });
  if (count < kLeastStatisticsImages || count > 0xffffffffu || !(high > low) || !finite) return s;
  const std::size_t elements = images.size() / count;
  s.images = static_cast<std::uint32_t>(count);
  measure_elements(s, images, elements, low, high);
  const auto numbers = measure_all(Measure(s, low, high), images, elements);
  const double margin = kMargin + kMarginImages / static_cast<double>(count);
  const std::size_t outliers = count / kOutliers;
  std::vector<double> sorted(count);
  for (std::size_t k = 0; k < s.limits.size(); ++k) {
    std::ranges::transform(numbers, sorted.begin(), [&](const Numbers& n) { return n[k]; });
    std::ranges::sort(sorted);
    const double least = sorted[outliers], most = sorted[count - 1 - outliers],
                 wider = margin * (most - least);
    s.limits[k] = {to_limit(std::floor(kParts * (least - wider))),
                   to_limit(std::ceil(kParts * (most + wider)))};
  }
  return s;
}

std::vector<std::size_t> unlike_images(const InputStatistics& s, std::span<const float> images, double low,
                                       double high) {
  std::vector<std::size_t> unlike;
  if (s.images == 0) return unlike;
  const auto numbers = measure_all(Measure(s, low, high), images, s.mean.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    bool within = true;
    for (std::size_t k = 0; k < s.limits.size(); ++k)
      within =
          within && numbers[i][k] * kParts >= s.limits[k].low && numbers[i][k] * kParts <= s.limits[k].high;
    if (!within) unlike.push_back(i);
  }
  return unlike;
}

void check_statistics(const InputStatistics& s, std::size_t elements, const std::string& what) {
  if (s == InputStatistics{}) return;
  const auto fits = [&](const std::vector<std::uint8_t>& v) {
    return v.size() == elements && std::ranges::all_of(v, [](auto x) { return x <= kParts; });
  };
  if (s.images < kLeastStatisticsImages || !fits(s.mean) || !fits(s.deviation) ||
      !std::ranges::all_of(s.limits, [](const auto& l) { return l.low <= l.high; }))
    fail_user(
        "{}: its statistics of the images that the network was measured on are not those of {} elements",
        what, elements);
}

// "images low high low high low high low high BYTES", where BYTES are those of mean and deviation in
// hexadecimal.
std::string to_text(const InputStatistics& s) {
  auto text = fmt::format("{}", s.images);
  for (const auto& l : s.limits) text += fmt::format(" {} {}", l.low, l.high);
  text += ' ';
  for (const auto* bytes : {&s.mean, &s.deviation})
    for (const auto b : *bytes) fmt::format_to(std::back_inserter(text), "{:02x}", b);
  return text;
}

InputStatistics parse_statistics(const std::string& text, const std::string& what) {
  InputStatistics s;
  const char *at = text.data(), *end = at + text.size();
  const auto next = [&](auto& value) {
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc() || rest == end || *rest != ' ')
      fail_user("{} is '{}', expected a number of images, pairs of limits, and bytes", what,
                text.substr(0, 100));
    at = rest + 1;
  };
  next(s.images);
  for (auto& l : s.limits) next(l.low), next(l.high);
  std::vector<std::uint8_t> bytes;
  for (; end - at >= 2; at += 2) {
    const auto [rest, error] = std::from_chars(at, at + 2, bytes.emplace_back(), 16);
    if (error != std::errc() || rest != at + 2) break;
  }
  if (at != end || bytes.size() % 2 != 0)
    fail_user("{} ends in '{}', expected hexadecimal bytes, two for each element", what,
              std::string(at, end).substr(0, 20));
  const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2);
  s.mean.assign(bytes.begin(), middle);
  s.deviation.assign(middle, bytes.end());
  return s;
}

}  // namespace velum::model
