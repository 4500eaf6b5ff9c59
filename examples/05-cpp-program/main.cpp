// Encrypted inference from a C++ program: plan, keys, encrypt, evaluate (by the program `digits_server`),
// decrypt.
//   private_digits MODEL FOLDER   writes to FOLDER, and waits for FOLDER/logits.vct where it is not there yet
#include <velum/velum.h>

#include <cstdio>
#include <filesystem>

namespace {

// A cross of light on black, as bytes: an application has its own images.
std::vector<std::uint8_t> image(std::size_t size, std::size_t shift) {
  std::vector<std::uint8_t> pixels(size * size);
  for (std::size_t i = size / 4; i < 3 * size / 4; ++i) {
    pixels[i * size + size / 2 + shift] = 255;
    pixels[(size / 2) * size + i] = 255;
  }
  return pixels;
}

void say(const char* what, double share) {
  std::fprintf(stderr, "%s: %3.0f %%\n", what, 100 * share);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: private_digits MODEL FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[2];
  const auto model = velum::Model::load(argv[1]);
  const auto shape = model.inspect().input_shape;
  std::vector<std::uint8_t> pixels;
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const auto one = image(static_cast<std::size_t>(shape[1]), shift);
    pixels.insert(pixels.end(), one.begin(), one.end());
  }
  const auto images = velum::Images::bytes(pixels);

  if (!std::filesystem::exists(folder / "logits.vct")) {
    // Once for a network.
    const auto plan = model.plan({.images = 3}, {.progress = [](double share) { say("plan", share); }});
    plan.save(folder / "plan");
    std::printf("%.1f bits of precision, %d bits of security, %.1f MB of evaluation keys\n",
                plan.precision_bits(), plan.client().security_bits(),
                static_cast<double>(plan.client().evaluation_key_bytes()) / 1e6);
    // The data owner.
    const auto client = velum::Client::create(plan.client());
    client.save_keys(folder / "keys");
    client.encrypt_to_file(images, folder / "batch.vct");
    std::printf("now: digits_server %s\n", folder.c_str());
    return 0;
  }

  // The data owner again, with what was kept.
  const auto plan = velum::ClientPlan::load(folder / "plan/client.plan");
  const auto client = velum::Client::load(plan, folder / "keys/secret/secret.key");
  const auto outputs = client.decrypt_file(folder / "logits.vct", folder / "batch.vct");
  const auto predictions = plan.decide(outputs.values), clear = plan.decide(model.evaluate(images));
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    std::printf("image %zu: class %d with probability %.3f (in the clear: %d, %.3f)\n", i,
                predictions[i].predicted, predictions[i].probability, clear[i].predicted,
                clear[i].probability);
    if (predictions[i].predicted != clear[i].predicted) return 1;
  }
  return 0;
} catch (const velum::Error& e) {
  // One line that says what is wrong and what to do; kind() tells whose mistake it is.
  std::fprintf(stderr, "%s\n", e.what());
  return e.exit_code();
}
