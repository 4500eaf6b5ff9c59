// Writes small valid files of every format as seeds: velum_make_corpus FOLDER
#include <cstdio>
#include <string>

#include "base/container.h"
#include "base/error.h"
#include "ckks/client/client.h"
#include "data/make_files.h"
#include "engine/batch_file.h"
#include "framed_plan.h"
#include "model/execute.h"
#include "plan/file/identity.h"
#include "plan/passes.h"
#include "support/graphs.h"
#include "system/file.h"
#include "tiny_parameters.h"

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

void make_key_seeds(const std::string& folder) {
  const auto& params = fuzz::tiny_parameters();
  const auto secret = ckks::SecretKey::from_seed(params, ckks::Seed{1});
  const auto payload = secret.write();
  Corpus(folder, "secret_key").add("key", Bytes(payload.data(), payload.data() + payload.size()));
  Corpus(folder, "public_key")
      .add("key", ckks::generate_public_key(params, secret, ring::Randomness::system()).write(params));
  const Corpus keys(folder, "evaluation_keys");
  for (const std::size_t limbs : {0u, 1u, 2u})
    keys.add("limbs" + std::to_string(limbs),
             ckks::generate_keys(params, secret, {limbs}, ring::Randomness::system()).write(params));
  keys.add(
      "rotations",
      ckks::generate_keys(params, secret, {2, {{1, 2}, {15, 1}}}, ring::Randomness::system()).write(params));
}

void make_batch_seeds(const std::string& folder) {
  const auto& params = fuzz::tiny_parameters();
  const auto& plan = fuzz::tiny_plan();
  const Corpus batch(folder, "batch");
  for (const auto type : {FileType::input_batch, FileType::output_batch, FileType::public_batch}) {
    auto bytes = engine::write_batch_header(engine::make_batch_header(type, plan, params, {}, 5));
    const auto record = engine::record_bytes(type, plan, params) + engine::kRecordTagBytes;
    const auto elements = engine::batch_elements(type, plan);
    testing::append(bytes, testing::ramp(record * elements, 1, 0, 16));
    batch.add(type == FileType::input_batch    ? "inputs"
              : type == FileType::output_batch ? "outputs"
                                               : "public",
              bytes);
  }
}

// A convolution, a square and a dense layer, as small as the planner makes them.
void make_plan_seeds(const std::string& folder) {
  test::GraphBuilder builder({1, 4, 4});
  model::Convolution convolution;
  convolution.outputs = 2;
  convolution.kernel_h = convolution.kernel_w = 3;
  auto at = builder.convolution(builder.input(), convolution, 1);
  at = builder.quadratic(at, {2, 2, 2});
  at = builder.flatten(at, 8);
  auto graph = builder.finish(builder.dense(at, 8, 3));
  std::vector<float> images(16 * 8);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 37 % 101) / 100;
  model::calibrate(graph, images, 8, 0.25);
  auto plan = plan::make_plan(graph, {}).plan;
  const Corpus clients(folder, "client_plan"), servers(folder, "server_plan");
  const auto add = [&](const std::string& name) {
    plan::seal_plan(plan);
    const auto client = plan::write_client_plan(plan.client);
    const auto half =
        unwrap(client, FileType::client_plan, fuzz::kPlanVersion, "plan").size() - fuzz::kPlanId;
    clients.add(name, fuzz::unframe_plan(FileType::client_plan, client, half));
    servers.add(name, fuzz::unframe_plan(FileType::server_plan, plan::write_server_plan(plan), half));
  };
  add("small");
  auto& statistics = plan.client.statistics;
  statistics.images = 100;
  statistics.mean.assign(16, 30);
  statistics.deviation.assign(16, 9);
  statistics.limits = {{{10, 50}, {5, 20}, {1, 9}, {30, 90}}};
  add("statistics");
  plan.client.public_key = true;
  add("public");
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
    velum::make_key_seeds(arguments[1]);
    velum::make_batch_seeds(arguments[1]);
    velum::make_plan_seeds(arguments[1]);
  } catch (const velum::Error& error) {
    std::fprintf(stderr, "velum_make_corpus: %s\n", error.what());
    return error.exit_code();
  }
}
