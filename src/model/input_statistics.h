// What the images that a network was measured on are like, so that others can be told from them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace velum::model {

struct Graph;

// All in 64ths, so that little is said of any one image: of the input's range, from its low end on, or, of
// distances, of a deviation.
struct InputStatistics {
  // A number for each image: the mean of its elements, their deviation, the mean difference of neighbours in
  // row-major order, and the distance from the mean image: the root mean square over the elements, each in
  // units of its deviation.
  static constexpr std::size_t kNumbers = 4;
  struct Limits {
    std::int32_t low = 0, high = 0;
    bool operator==(const Limits&) const = default;
  };

  std::uint32_t images = 0;                   // that they were taken over; 0: there are none
  std::vector<std::uint8_t> mean, deviation;  // of each element, 0 to 64
  std::array<Limits, kNumbers> limits{};      // what ordinary images keep
  bool operator==(const InputStatistics&) const = default;
};

// Fewer images are not summed up: they would say too much of each, and too little of others.
inline constexpr std::size_t kLeastStatisticsImages = 100;
// Of these images, for inputs from `low` to `high`; without images where there are fewer than needed.
InputStatistics measure_inputs(std::span<const float> images, std::size_t count, double low, double high);
// Which of them, by number, are unlike those that were measured; none where nothing was.
std::vector<std::size_t> unlike_images(const InputStatistics& statistics, std::span<const float> images,
                                       double low, double high);

// Throws Error(user), naming `what`, unless they are whole: for inputs of so many elements, or none at all.
void check_statistics(const InputStatistics& statistics, std::size_t elements, const std::string& what);

// They travel in the model's metadata, under this key, as names of classes do.
inline constexpr const char* kInputStatistics = "input statistics";
std::string to_text(const InputStatistics& statistics);
InputStatistics parse_statistics(const std::string& text, const std::string& what);
void set_statistics(Graph& graph, const InputStatistics& statistics);
InputStatistics statistics_of(const Graph& graph);  // checked

}  // namespace velum::model
