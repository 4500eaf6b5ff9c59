#include "plan/plan.h"

#include "ring/ring.h"

namespace velum::plan {

std::size_t input_ciphertexts(const ClientPlan& plan) {
  return plan.input_order.size() / plan.blocks;
}

std::size_t output_ciphertexts(const ClientPlan& plan) {
  return plan.output_order.size() / plan.blocks;
}

std::size_t input_elements(const ClientPlan& plan) {
  std::size_t count = 1;
  for (const auto d : plan.input_shape) count *= static_cast<std::size_t>(d);
  return count;
}

std::size_t images_per_batch(const ClientPlan& plan) {
  return ring::slot_count(plan.params.ring, plan.params.n) / plan.blocks;
}

}  // namespace velum::plan
