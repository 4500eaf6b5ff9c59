#include "velum/server.h"

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto plan = velum::ServerPlan::load(argv[1]);
  velum::Server server(plan, velum::EvaluationKeys::load(plan, argv[2]));
  server.evaluate_file(argv[3], argv[4]);
  return 0;
}
