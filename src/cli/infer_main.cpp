// velum-infer: the server's program. It holds the plan and public keys, and links nothing that knows a secret
// key.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "cli/common.h"
#include "cli/files.h"
#include "cli/step_table.h"
#include "engine/batch_file.h"
#include "engine/engine.h"

namespace velum::cli {

namespace {

struct Options {
  std::string plan, keys, in, out;
  std::uint64_t memory = 0;
  CommonOptions common;
};

// The plan's figure, for the threads that run here.
std::uint64_t planned_peak_bytes(const plan::ServerPlan& plan) {
  const auto extra = static_cast<std::int64_t>(threads() - std::max(plan.threads, 1)) *
                     static_cast<std::int64_t>(plan.workspace_bytes_per_thread);
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, static_cast<std::int64_t>(plan.peak_bytes) + extra));
}

void require_memory(const plan::ServerPlan& plan, std::uint64_t limit) {
  const auto needed = planned_peak_bytes(plan);
  const auto available = limit ? limit : current_rss_bytes() + available_memory_bytes();
  if (needed > available)
    fail("the plan needs {} of memory with {} threads, {} {}; use fewer threads, or plan again with --memory",
         format_bytes(static_cast<double>(needed)), threads(), format_bytes(static_cast<double>(available)),
         limit ? "are allowed" : "are available");
}

void append_outputs(engine::BatchWriter& writer, const std::vector<ckks::Ciphertext>& outputs,
                    std::size_t first, const ckks::Parameters& params) {
  const auto bytes = writer.sealed_bytes();
  std::vector<std::uint8_t> records(outputs.size() * bytes);
  parallel_for(outputs.size(), [&](std::size_t o, int) {
    const auto sealed = std::span(records).subspan(o * bytes, bytes);
    engine::pack_output(sealed.first(writer.record_bytes()), outputs[o].view(), params);
    writer.seal(sealed, first + o);
  });
  writer.append(records);
}

void run(const Options& o) {
  use_threads(o.common);
  require_writable(o.out);
  const auto plan = load_server_plan(o.plan);
  const auto& client = plan.client;
  const ckks::Parameters params(client.params);
  require_memory(plan, o.memory);
  const engine::BatchReader reader(o.in, FileType::input_batch, client, params);
  const auto keys = load_evaluation_keys(o.keys, params);
  reader.require_key(keys.key_id, o.keys);
  const engine::Engine engine(plan, params, keys);
  const std::size_t images = reader.header().images;
  engine::BatchWriter writer(o.out, client, params, FileType::output_batch, keys.key_id, images);

  engine::RunReport total;
  const Stopwatch watch;
  {
    Progress progress("evaluating", static_cast<double>(reader.batches()));
    for (std::size_t b = 0; b < reader.batches(); ++b) {
      engine::RunReport report;
      const auto outputs = engine.run(
          engine::FileInput(reader, b), &report,
          [&](double share, const std::string& step) { progress.set(static_cast<double>(b) + share, step); });
      append_outputs(writer, outputs, b * client.outputs, params);
      accumulate(total, report);
    }
  }
  writer.commit();

  const double seconds = watch.seconds(), per_image = 1e3 * total.seconds / static_cast<double>(images);
  const auto bytes =
      reader.header().ciphertexts / reader.elements() * client.outputs * writer.sealed_bytes() +
      engine::kBatchHeaderBytes;
  fmt::print("{}", layer_table(total));
  fmt::print("\n{}: {} images, {}, in {} ({:.3f} ms an image); peak memory {}, {} planned\n", o.out, images,
             format_bytes(static_cast<double>(bytes)), format_duration(seconds), per_image,
             format_bytes(static_cast<double>(peak_rss_bytes())),
             format_bytes(static_cast<double>(planned_peak_bytes(plan))));
  write_json(o.common, {{"images", images},
                        {"slots", params.slots()},
                        {"batches", reader.batches()},
                        {"threads", threads()},
                        {"seconds", {{"evaluate", total.seconds}, {"total", seconds}}},
                        {"amortized_ms", per_image},
                        {"bytes", {{"input", reader.header().file_bytes}, {"output", bytes}}},
                        {"peak_rss_bytes", peak_rss_bytes()},
                        {"planned_peak_bytes", planned_peak_bytes(plan)},
                        {"input_seconds", total.input_seconds},
                        {"layers", layers_json(total)}});
}

}  // namespace

}  // namespace velum::cli

int main(int argc, char** argv) {
  using namespace velum::cli;
  return guarded("velum infer", [&] {
    CLI::App app("Evaluate a network on an encrypted batch: the server's side, without any secret key.",
                 "velum infer");
    Options o;
    app.add_option("--plan", o.plan, "The server's half of the plan")->required()->type_name("server.plan");
    app.add_option("--keys", o.keys, "The evaluation keys of the data owner")
        ->required()
        ->type_name("eval.keys");
    app.add_option("--in", o.in, "The encrypted batch")->required()->type_name("FILE");
    app.add_option("--out", o.out, "The encrypted results")->required()->type_name("FILE");
    app.add_option("--memory", o.memory,
                   "Refuse to run beyond this, such as 20GiB; default: what the machine has")
        ->transform(CLI::AsSizeValue(true))
        ->type_name("SIZE");
    add_common_options(app, o.common);
    app.footer("Exit code: 0 done, 1 failure of the environment, 2 the caller's mistake.");
    if (parse(app, argc, argv)) run(o);
  });
}
