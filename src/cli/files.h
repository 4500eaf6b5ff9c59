// Plans and public keys as files. (The secret key reads and writes its own: ckks/client.)
#pragma once

#include <string>

#include "ckks/core/keys.h"
#include "plan/plan.h"

namespace velum::cli {

inline constexpr std::uint32_t kEvaluationKeysVersion = 1;

plan::ClientPlan load_client_plan(const std::string& path);
plan::ServerPlan load_server_plan(const std::string& path);
// The bytes of the file.
std::vector<std::uint8_t> evaluation_keys_file(const ckks::EvaluationKeys& keys,
                                               const ckks::Parameters& params);
ckks::EvaluationKeys load_evaluation_keys(const std::string& path, const ckks::Parameters& params);

}  // namespace velum::cli
