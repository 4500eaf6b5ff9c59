#include "train/data.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "data/classes.h"

namespace velum::train {

Samples to_samples(const data::Dataset& set) {
  const auto n = static_cast<std::int64_t>(set.count());
  if (set.labels.size() != set.count())
    fail_user("data set {}: {} images but {} labels; training needs a label for every image", set.name, n,
              set.labels.size());
  const auto classes = static_cast<std::int32_t>(set.classes.size());
  for (std::size_t i = 0; i < set.labels.size(); ++i)
    if (set.labels[i] < 0 || (classes > 0 && set.labels[i] >= classes))
      fail_user("data set {}: image {} has label {}, but labels go from 0 to {}", set.name, i, set.labels[i],
                classes - 1);
  Samples out;
  out.images = torch::empty({n, set.channels, set.height, set.width});
  std::copy(set.images.begin(), set.images.end(), out.images.data_ptr<float>());
  out.labels = torch::empty({n}, torch::kInt64);
  std::copy(set.labels.begin(), set.labels.end(), out.labels.data_ptr<std::int64_t>());
  return out;
}

Samples concatenated(const Samples& first, const Samples& second) {
  if (first.count() == 0) return second;
  if (second.count() == 0) return first;
  return {torch::cat({first.images, second.images}), torch::cat({first.labels, second.labels})};
}

TrainingData load_training_data(const TrainOptions& o, bool with_test) {
  const auto& spec = o.data;
  if (o.image_size > 0 && !spec.starts_with("folder:"))
    fail_user("--image-size {}: only class folders (folder:DIR) are resized, not {}", o.image_size, spec);
  if (o.channels > 0 && !spec.starts_with("folder:"))
    fail_user("--channels {}: only class folders (folder:DIR) are converted, not {}", o.channels, spec);
  TrainingData out;
  const auto names = o.classes.empty() ? std::vector<std::string>() : data::read_class_names(o.classes);
  const auto part = [&](data::Split split) {
    data::LoadOptions options;
    options.split = split;
    options.skip_bad = o.skip_bad;
    options.resize = o.resize == "fit"    ? data::Resize::fit
                     : o.resize == "crop" ? data::Resize::crop
                                          : data::Resize::stretch;
    options.ignore_exif = o.exif == "ignore";
    if (o.image_size > 0) options.height = options.width = o.image_size;
    if (o.channels > 0) options.channels = o.channels;
    // The other splits are as the training images are, whatever their first file happens to be.
    if (!out.image_shape.empty() && spec.starts_with("folder:")) {
      options.channels = out.image_shape[0];
      options.height = out.image_shape[1];
      options.width = out.image_shape[2];
    }
    auto set = data::load(spec, options);
    if (!names.empty()) {
      if (set.named_classes)
        data::match_classes(set, names, spec);
      else
        set.classes = names;
    }
    if (set.undivided)
      fail_user(
          "data set {}: is not divided into training, validation and test images, so that accuracy would be "
          "measured on the images that were learnt; divide it: {}",
          spec,
          spec.starts_with("folder:") ? "DIR/train/CLASS/NAME.png, DIR/val/CLASS/... and DIR/test/CLASS/..."
                                      : "train_images, val_images and test_images in a medmnist:FILE.npz, or "
                                        "class folders");
    const model::Shape shape{set.channels, set.height, set.width};
    if (!out.image_shape.empty() && shape != out.image_shape)
      fail_user("data set {}: its splits have images of {} and of {}", spec,
                model::to_string(out.image_shape), model::to_string(shape));
    out.image_shape = shape;
    out.name = set.name;
    out.notes.insert(out.notes.end(), set.notes.begin(), set.notes.end());
    if (set.classes.size() > out.classes.size()) out.classes = set.classes;
    return to_samples(set);
  };
  out.train = part(data::Split::train);
  out.validation = part(data::Split::validation);
  if (with_test) out.test = part(data::Split::test);
  if (out.classes.empty())  // unnamed: as many as the labels say
    for (std::int64_t k = 0; k <= out.train.labels.max().item<std::int64_t>(); ++k)
      out.classes.push_back(std::to_string(k));
  const auto classes = static_cast<std::int64_t>(out.classes.size());
  for (const auto* s : {&out.validation, &out.test})
    if (s->count() > 0 && s->labels.max().item<std::int64_t>() >= classes)
      fail_user("data set {}: label {} of {} image {}, but the training images have {} classes", spec,
                s->labels.max().item<std::int64_t>(), s == &out.test ? "test" : "validation",
                s->labels.argmax().item<std::int64_t>(), classes);
  // Where a class comes from that training does not know: a wrong label, perhaps.
  const auto first_with = [&](std::int64_t k) -> std::string {
    for (const auto& [name, s] : {std::pair{"validation", &out.validation}, std::pair{"test", &out.test}}) {
      if (s->count() == 0) continue;
      if (const auto at = (s->labels == k).nonzero(); at.numel() > 0)
        return fmt::format(", which {} image {} is of", name, at[0].item<std::int64_t>());
    }
    return "";
  };
  const auto counts = torch::bincount(out.train.labels, {}, classes);
  for (std::int64_t k = 0; k < classes; ++k)
    if (counts[k].item<std::int64_t>() == 0)
      fail_user("data set {}: no training image of class {}{}; add some, or remove the class", spec,
                out.classes[static_cast<std::size_t>(k)], first_with(k));
  if (o.all_data) {
    out.train = concatenated(out.train, out.validation);
    out.validation = {};
  }
  return out;
}

}  // namespace velum::train
