#include "model/onnx/external_data.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "system/file.h"

namespace velum::model {

namespace {

namespace fs = std::filesystem;

std::uint64_t number(const std::string& key, const std::string& text, const std::string& what) {
  std::uint64_t v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size())
    fail_user("{} keeps its data in another file at {} '{}', expected a whole number", what, key, text);
  return v;
}

// The file, once links are followed; it may not lie outside the folder.
std::string inside(const std::string& location, const std::string& folder, const std::string& what) {
  const fs::path relative(location);
  const bool climbs = std::find(relative.begin(), relative.end(), fs::path("..")) != relative.end();
  if (location.empty() || relative.is_absolute() || climbs || location.find('\0') != std::string::npos)
    fail_user("{} keeps its data in '{}', which is not a file in the network's own folder", what, location);
  std::error_code error;
  const auto root = fs::canonical(folder, error);
  if (error) fail_user("{}: the network's folder {} cannot be read: {}", what, folder, error.message());
  const auto file = fs::canonical(root / relative, error);
  if (error)
    fail_user(
        "{} keeps its data in '{}', which is not beside the network: copy both files together, or save one "
        "file "
        "(PyTorch: external_data=False)",
        what, location);
  const auto [at, rest] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (at != root.end() || !fs::is_regular_file(file, error))
    fail_user("{} keeps its data in '{}', which is not a file in the network's own folder", what, location);
  return file.string();
}

}  // namespace

std::string read_external(const onnx::TensorProto& t, std::uint64_t bytes, const ExternalFolder& folder,
                          const std::string& what) {
  if (folder.path.empty())
    fail_user(
        "{} keeps its data in another file (external data): save the model as one file (PyTorch: "
        "external_data=False)",
        what);
  std::string location;
  std::uint64_t offset = 0, length = bytes;
  for (const auto& e : t.external_data()) {
    if (e.key() == "location") location = e.value();
    if (e.key() == "offset") offset = number("offset", e.value(), what);
    if (e.key() == "length") length = number("length", e.value(), what);
  }
  if (length != bytes)
    fail_user("{} has {} bytes of data in '{}', its shape needs {}", what, length, location, bytes);
  const InputFile file(inside(location, folder.path, what));
  if (offset > file.size() || bytes > file.size() - offset)
    fail_user("{} has its data at bytes {} to {} of '{}', which has {}: copy it again", what, offset,
              offset + bytes, location, file.size());
  std::string raw(bytes, '\0');
  file.read_at(offset, {reinterpret_cast<std::uint8_t*>(raw.data()), raw.size()});
  return raw;
}

}  // namespace velum::model
