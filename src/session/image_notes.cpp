#include "session/image_notes.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "engine/batch_file.h"
#include "model/input_statistics.h"

namespace velum::session {

std::string name_images(std::span<const std::size_t> images) {
  const auto named = images.first(std::min<std::size_t>(images.size(), 10));
  const auto more = images.size() - named.size();
  return fmt::format("{}{}", fmt::join(named, ", "), more ? fmt::format(" and {} more", more) : "");
}

std::string fill_note(const plan::ClientPlan& plan, std::size_t images) {
  const auto places = plan::images_per_batch(plan), batches = engine::batch_count(images, plan);
  if (2 * images > batches * places) return {};
  auto note = fmt::format("note: {} images fill {:.2g} % of {} of {} places, which take as long as full ones",
                          images, 100.0 * static_cast<double>(images) / static_cast<double>(batches * places),
                          batches == 1 ? "a batch" : fmt::format("{} batches", batches), places);
  // A plan of blocks was made for few already.
  if (plan.blocks == 1) note += fmt::format("; 'velum plan --batch {}' plans for so many", images);
  return note + "\n";
}

std::vector<std::size_t> unlike_images(const plan::ClientPlan& plan, std::span<const float> pixels) {
  return model::unlike_images(plan.statistics, pixels, plan.input_low, plan.input_high);
}

std::string unlike_note(const plan::ClientPlan& plan, const std::vector<std::size_t>& unlike,
                        std::size_t images) {
  if (unlike.empty()) return {};
  return fmt::format(
      "warning: {} of {} images are unlike the {} that the network was measured on: images {}; their results "
      "may be "
      "wrong, and so may those of images encrypted with them; look at these images and at their scaling",
      unlike.size(), images, plan.statistics.images, name_images(unlike));
}

}  // namespace velum::session
