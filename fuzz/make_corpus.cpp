// Writes small valid files of every format as seeds: velum_make_corpus FOLDER
#include <cstdio>
#include <string>

#include "base/container.h"
#include "base/error.h"
#include "base/file.h"
#include "data/make_files.h"

namespace velum {
namespace {

using testing::Bytes;

class Corpus {
 public:
  Corpus(const std::string& folder, const std::string& reader) : folder_(folder + "/" + reader) {
    make_folder(folder_);
  }
  void add(const std::string& name, const Bytes& bytes) const {
    write_file_atomically(folder_ + "/" + name, bytes);
  }

 private:
  std::string folder_;
};

void make_data_seeds(const std::string& folder) {
  const auto images = testing::idx({3, 4, 4}, testing::ramp(48)),
             labels = testing::idx({5}, testing::ramp(5, 1, 0, 10));
  const Corpus idx(folder, "idx");
  idx.add("images", images);
  idx.add("labels", labels);
  idx.add("images.gz", testing::gzip(images));
  idx.add("labels.gz", testing::gzip(labels));

  Bytes record = {7};
  testing::append(record, testing::ramp(3072));
  Corpus(folder, "cifar10").add("record", record);

  const Corpus npy(folder, "npy");
  npy.add("bytes", testing::npy("|u1", "(2, 3, 4)", testing::ramp(24)));
  npy.add("planes", testing::npy("|u1", "(1, 3, 2, 2)", testing::ramp(12), 2));
  npy.add("floats", testing::npy_of<float>("<f4", "(2, 1, 2)", {0, 1, 0.5f, 0.25f}));
  npy.add("doubles", testing::npy_of<double>("<f8", "(2, 2)", {0, 1, 0.5, 0.25}));
  npy.add("labels", testing::npy_of<std::int64_t>("<i8", "(3, 1)", {0, 2, 1}));

  const testing::Members members = {{"test_images.npy", testing::npy("|u1", "(2, 3, 3)", testing::ramp(18))},
                                    {"test_labels.npy", testing::npy("|u1", "(2, 1)", Bytes{0, 1})}};
  const Corpus npz(folder, "npz");
  npz.add("stored.npz", testing::zip(members, false));
  npz.add("deflated.npz", testing::zip(members, true));

  const Corpus image(folder, "image");
  image.add("grey.png", testing::png(1, 6, 5, testing::ramp(30)));
  image.add("rgb.png", testing::png(3, 6, 5, testing::ramp(90)));
  image.add("grey.jpg", testing::jpeg(1, 9, 10, testing::ramp(90, 1)));
  image.add("rgb.jpg", testing::jpeg(3, 9, 10, testing::ramp(270, 1)));
  image.add("progressive.jpg", testing::jpeg(3, 9, 10, testing::ramp(270, 1), true));

  Corpus(folder, "container").add("plan", wrap(FileType::client_plan, 1, testing::ramp(20)));
}

}  // namespace
}  // namespace velum

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: velum_make_corpus FOLDER\n");
    return 2;
  }
  try {
    velum::make_data_seeds(arguments[1]);
  } catch (const velum::Error& error) {
    std::fprintf(stderr, "velum_make_corpus: %s\n", error.what());
    return error.exit_code();
  }
}
