// What is said of a caller's images beside their encryption.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"

namespace velum::session {

// The first of these numbers of images, and how many more.
std::string name_images(std::span<const std::size_t> images);

// A line about a last batch that is mostly padding, or nothing: batches cost the same whatever they hold.
std::string fill_note(const plan::ClientPlan& plan, std::size_t images);

// Those of the images that are unlike the ones that the network was measured on, by number; a line about
// them, or nothing. They are in range, yet their hidden values need not be.
std::vector<std::size_t> unlike_images(const plan::ClientPlan& plan, std::span<const float> pixels);
std::string unlike_note(const plan::ClientPlan& plan, const std::vector<std::size_t>& unlike,
                        std::size_t images);

}  // namespace velum::session
