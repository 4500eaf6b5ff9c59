// A stranger's program: it sees only what was installed.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "velum/velum.h"

int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  const auto model = velum::Model::load(argv[1]);
  const auto plan = model.plan({.images = 2});
  const std::vector<std::uint8_t> pixels(2 * plan.client().input_elements(), 100);
  const auto r = velum::run(model, plan, velum::Images::bytes(pixels));
  std::printf("%zu images, agreement %.2f, %.1f bits\n", r.images, r.agreement, r.precision_bits);
  return r.agreement == 1 && r.precision_bits > 6 ? 0 : 1;
} catch (const velum::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return e.exit_code();
}
