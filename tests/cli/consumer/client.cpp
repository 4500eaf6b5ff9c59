#include "velum/client.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto client = velum::Client::load(velum::ClientPlan::load(argv[1]), argv[2]);
  return client.has_secret() ? 0 : 1;
}
