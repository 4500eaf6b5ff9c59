// The server of example 05: it has the plan and the evaluation keys, and no way to read what it computes.
//   digits_server FOLDER
#include <velum/server.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: digits_server FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  const auto plan = velum::ServerPlan::load(folder + "/plan/server.plan");
  velum::Server server(plan, velum::EvaluationKeys::load(plan, folder + "/keys/public/eval.keys"));
  const auto report = server.evaluate_file(folder + "/batch.vct", folder + "/logits.vct");
  std::printf("%zu images in %.2f s with %d threads, %.1f MB in, %.1f MB out\n", report.images,
              report.evaluate_seconds, report.threads, static_cast<double>(report.input_bytes) / 1e6,
              static_cast<double>(report.output_bytes) / 1e6);
  return 0;
} catch (const velum::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return e.exit_code();
}
