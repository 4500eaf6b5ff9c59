#include "train/output_files.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "system/file.h"
#include "system/framed_file.h"
#include "train/trainer.h"

namespace velum::train {

namespace {

namespace fs = std::filesystem;

struct NamedFile {
  const char* option;
  std::string path;
};

void require_apart(const NamedFile& written, const NamedFile& other) {
  if (!written.path.empty() && !other.path.empty() && same_file(written.path, other.path))
    fail_user("{} {}: is the file of {} too, one would overwrite the other; name another file",
              written.option, written.path, other.option);
}

}  // namespace

void check_output_files(const Arguments& args) {
  const auto& o = args.options;
  const std::vector<NamedFile> written = {{"--out", args.out},
                                          {"--json", args.json},
                                          {"--report", args.report},
                                          {"--curves", args.curves},
                                          {"--write-config", args.write_config},
                                          {"--checkpoint", o.checkpoint},
                                          {"the ReLU network's checkpoint", teacher_checkpoint(o)}};
  const std::vector<NamedFile> read = {
      {"--config", args.config}, {"--from", o.from}, {"--teacher", o.teacher}};
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (!written[i].path.empty()) {
      require_writable(written[i].path);
      require_same_kind(written[i].option, written[i].path, {});
    }
    for (std::size_t j = i + 1; j < written.size(); ++j) require_apart(written[i], written[j]);
    for (const auto& other : read) require_apart(written[i], other);
  }
  if (o.resume) return;
  for (const auto& path : {o.checkpoint, teacher_checkpoint(o)})
    if (!path.empty() && fs::exists(path))
      fail_user(
          "--checkpoint {}: is there already; go on from it with --resume, name another file, or remove it",
          path);
}

}  // namespace velum::train
