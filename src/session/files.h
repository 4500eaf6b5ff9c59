// Plans and public keys as files. (The secret key reads and writes its own: ckks/client.)
#pragma once

#include <span>
#include <string>

#include "ckks/core/keys.h"
#include "plan/plan.h"

namespace velum::session {

// Plans and keys are written in sets (system/file_set.h): completes one in the folder of `path`, or in the
// one around it, whose writer was killed, so that what is read belongs together.
void finish_set_around(const std::string& path);

plan::ClientPlan load_client_plan(const std::string& path);
plan::ServerPlan load_server_plan(const std::string& path);
// The bytes of the file.
std::vector<std::uint8_t> evaluation_keys_file(const ckks::EvaluationKeys& keys,
                                               const ckks::Parameters& params);
ckks::EvaluationKeys read_evaluation_keys(std::span<const std::uint8_t> file, const ckks::Parameters& params,
                                          const std::string& what);
ckks::EvaluationKeys load_evaluation_keys(const std::string& path, const ckks::Parameters& params);

}  // namespace velum::session
