#include "session/local_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/stopwatch.h"
#include "engine/batch_file.h"
#include "session/client_batch.h"
#include "session/step_table.h"
#include "system/memory.h"

namespace velum::session {

namespace {

constexpr std::uint64_t kLargeInput = 512u << 20;

std::uint64_t file_bytes(FileType type, const plan::ClientPlan& plan, const ckks::Parameters& params,
                         std::size_t images) {
  return engine::make_batch_header(type, plan, params, {}, images).file_bytes;
}

}  // namespace

LocalSession::LocalSession(const plan::ServerPlan& plan, const std::function<void(double)>& progress)
    : plan_(plan),
      params_(plan.client.params),
      secret_(ckks::SecretKey::generate(params_, ring::Randomness::system())),
      keys_(ckks::generate_keys(params_, secret_, plan.client.keys, ring::Randomness::system(), progress)),
      engine_(plan_, params_, keys_) {}

LocalResult run_locally(const LocalSession& session, std::span<const float> pixels, std::size_t elements,
                        const ProbeTarget* probe, const StageProgress& progress) {
  const auto& plan = session.plan();
  const auto& client = plan.client;
  const auto& params = session.params();
  const ckks::Encryptor encryptor(params, session.secret(), ring::Randomness::system());
  const ckks::Decryptor decryptor(params, session.secret());

  LocalResult result;
  result.images = pixels.size() / elements;
  result.images_per_batch = plan::images_per_batch(client);
  result.batches = engine::batch_count(result.images, client);
  result.input_bytes = file_bytes(FileType::input_batch, client, params, result.images);
  result.output_bytes = file_bytes(FileType::output_batch, client, params, result.images);
  result.peak_rss_bytes = peak_rss_bytes();

  for (std::size_t b = 0; b < result.batches; ++b) {
    const auto images = batch_images(pixels, elements, result.images_per_batch, b);
    const std::string which = result.batches > 1 ? fmt::format(" batch {} of {}", b + 1, result.batches) : "";
    engine::PackedInput input(client, params, FileType::input_batch, engine::PackedInput::Reads::once);
    {
      const Stopwatch watch;
      encrypt_batch(input, client, params, encryptor, images, [&](double done) {
        if (progress) progress("encrypting" + which, done, "");
      });
      result.seconds.encrypt += watch.seconds();
    }

    std::optional<LayerProbe> layer_probe;
    if (probe && b == 0) layer_probe.emplace(*probe, decryptor, images);
    engine::RunReport report;
    std::vector<ckks::Ciphertext> ciphertexts;
    result.peak_rss_bytes = std::max(result.peak_rss_bytes, peak_rss_bytes());
    reset_peak_rss();
    {
      const auto on_progress = [&](double share, const std::string& step) {
        if (progress) progress("evaluating" + which, share, step);
      };
      if (layer_probe)
        ciphertexts = session.engine().run(input, &report, on_progress, layer_probe->callback());
      else
        ciphertexts = session.engine().run(input, &report, on_progress);
    }
    result.evaluate_peak_rss_bytes = std::max(result.evaluate_peak_rss_bytes, peak_rss_bytes());
    if (layer_probe) layer_probe->finish(report);
    accumulate(result.report, report);

    // The next batch is encrypted before the engine runs: large inputs take the place of what it keeps, and
    // the plan's peak holds for every batch. For small ones the kept pages are worth more.
    if (b + 1 < result.batches &&
        file_bytes(FileType::input_batch, client, params, images.count()) > kLargeInput)
      session.engine().release_memory();

    const Stopwatch watch;
    const auto outputs = decrypt_batch(client, decryptor, ciphertexts, images.count(), images.first);
    result.seconds.decrypt += watch.seconds();
    result.outputs.insert(result.outputs.end(), outputs.begin(), outputs.end());
    result.peak_rss_bytes = std::max(result.peak_rss_bytes, peak_rss_bytes());
  }
  result.seconds.evaluate = result.report.seconds;
  return result;
}

}  // namespace velum::session
