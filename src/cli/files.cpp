#include "cli/files.h"

#include "base/container.h"
#include "base/file.h"
#include "plan/passes.h"

namespace velum::cli {

plan::ClientPlan load_client_plan(const std::string& path) {
  return plan::read_client_plan(read_file(path), path);
}

plan::ServerPlan load_server_plan(const std::string& path) {
  return plan::read_server_plan(read_file(path), path);
}

std::vector<std::uint8_t> evaluation_keys_file(const ckks::EvaluationKeys& keys,
                                               const ckks::Parameters& params) {
  return wrap(FileType::evaluation_keys, kEvaluationKeysVersion, keys.write(params));
}

ckks::EvaluationKeys load_evaluation_keys(const std::string& path, const ckks::Parameters& params) {
  const auto bytes = read_file(path);
  ByteReader reader(unwrap(bytes, FileType::evaluation_keys, kEvaluationKeysVersion, path), path);
  return ckks::EvaluationKeys::read(reader, params);
}

}  // namespace velum::cli
