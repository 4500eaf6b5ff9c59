#include "plan/key_bytes.h"

#include "base/container.h"
#include "ckks/core/key_sizes.h"

namespace velum::plan {

std::uint64_t key_file_bytes(const ClientPlan& plan) {
  return framed_bytes(ckks::evaluation_keys_bytes(plan.keys, plan.params));
}

std::uint64_t public_key_file_bytes(const ClientPlan& plan) {
  return framed_bytes(ckks::public_key_bytes(plan.params));
}

}  // namespace velum::plan
