#include "support.h"

#include <filesystem>

#include "base/temp_folder.h"
#include "data/dataset.h"
#include "train/recipe.h"

namespace velum::train {

TrainingData digits(std::size_t train_images) {
  TrainingData out;
  const auto part = [&](data::Split split, std::size_t limit) {
    data::LoadOptions options;
    options.split = split;
    options.limit = limit;
    const auto set = data::load("digits", options);
    out.classes = set.classes;
    out.image_shape = {set.channels, set.height, set.width};
    return to_samples(set);
  };
  out.name = "digits";
  out.train = part(data::Split::train, train_images);
  out.validation = part(data::Split::validation, 500);
  out.test = part(data::Split::test, 1000);
  return out;
}

const TrainingData& small_data() {
  static const TrainingData data = digits(1000);
  return data;
}

TrainOptions small_options() {
  return small_options("direct");
}

TrainOptions small_options(const std::string& recipe) {
  auto o = defaults_of(recipe);
  o.data = "digits";
  o.epochs = 3;
  o.batch = 100;
  o.threads = 1;
  if (o.teacher_epochs > 0) o.teacher_epochs = 2;
  o.augmentation = {.shift = 1, .rotate = 5};
  return o;
}

std::string scratch(const std::string& name) {
  // Of this process alone: other tests run at the same time.
  static const velum::testing::TempFolder folder;
  const auto path = folder / name;
  std::filesystem::remove_all(path);
  return path;
}

bool same_network(NetworkImpl& l, NetworkImpl& r) {
  const auto lp = l.parameters(), rp = r.parameters();
  if (lp.size() != rp.size()) return false;
  for (std::size_t i = 0; i < lp.size(); ++i)
    if (!torch::equal(lp[i], rp[i])) return false;
  const auto lb = l.buffers(), rb = r.buffers();
  for (std::size_t i = 0; i < lb.size(); ++i)
    if (!torch::equal(lb[i], rb[i])) return false;
  return true;
}

}  // namespace velum::train
