#include "session/files.h"

#include "base/container.h"
#include "plan/files.h"
#include "system/file_set.h"
#include "system/framed_file.h"
#include "system/place.h"

namespace velum::session {

void finish_set_around(const std::string& path) {
  const auto folder = folder_of(path), name = folder.filename();
  const bool dots = name.empty() || name == "." || name == "..";
  finish_file_set(dots ? (folder / "..").string() : folder_of(folder.string()).string());
  finish_file_set(folder.string());
}

plan::ClientPlan load_client_plan(const std::string& path) {
  finish_set_around(path);
  return plan::read_client_plan(read_framed_file(path, FileType::client_plan), path);
}

plan::ServerPlan load_server_plan(const std::string& path) {
  finish_set_around(path);
  return plan::read_server_plan(read_framed_file(path, FileType::server_plan), path);
}

std::vector<std::uint8_t> evaluation_keys_file(const ckks::EvaluationKeys& keys,
                                               const ckks::Parameters& params) {
  return wrap(FileType::evaluation_keys, ckks::kEvaluationKeysVersion, keys.write(params));
}

ckks::EvaluationKeys read_evaluation_keys(std::span<const std::uint8_t> file, const ckks::Parameters& params,
                                          const std::string& what) {
  ByteReader reader(unwrap(file, FileType::evaluation_keys, ckks::kEvaluationKeysVersion, what), what);
  return ckks::EvaluationKeys::read(reader, params);
}

ckks::EvaluationKeys load_evaluation_keys(const std::string& path, const ckks::Parameters& params) {
  finish_set_around(path);
  return read_evaluation_keys(read_framed_file(path, FileType::evaluation_keys), params, path);
}

}  // namespace velum::session
