// metadata_props: "velum.range.TENSOR" = "low high rms [typical]", "velum.input" likewise, "velum.meta.KEY" =
// text.
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "model/onnx/import.h"

namespace velum::model {

namespace {

constexpr std::string_view range_prefix = "velum.range.", input_key = "velum.input",
                           meta_prefix = "velum.meta.";

Range parse_range(const std::string& key, const std::string& text) {
  double v[4] = {};
  const char *at = text.data(), *end = text.data() + text.size();
  const auto refuse = [&] {
    fail_user(
        "metadata '{}' is '{}', expected three or four finite numbers: low high rms typical, with "
        "low <= high, rms >= 0, typical >= 0",
        key, text.substr(0, 100));
  };
  for (int i = 0; i < 4 && (i < 3 || at != end); ++i) {
    while (at < end && *at == ' ') ++at;
    const auto [next, error] = std::from_chars(at, end, v[i]);
    if (error != std::errc() || !std::isfinite(v[i])) refuse();
    at = next;
  }
  if (at != end || v[0] > v[1] || v[2] < 0 || v[3] < 0) refuse();
  return {v[0], v[1], v[2], v[3]};
}

// Shortest decimal form that reads back as the same double.
std::string to_text(const Range& r) {
  const auto text = fmt::format("{} {} {}", r.low, r.high, r.rms);
  return r.typical > 0 ? fmt::format("{} {}", text, r.typical) : text;
}

void put(onnx::ModelProto& model, const std::string& key, const std::string& value) {
  auto* p = model.add_metadata_props();
  p->set_key(key);
  p->set_value(value);
}

}  // namespace

void read_metadata(const onnx::ModelProto& model, Graph& g) {
  for (const auto& p : model.metadata_props()) {
    const std::string& key = p.key();
    if (key == input_key)
      g.input_range = parse_range(key, p.value());
    else if (key.starts_with(range_prefix))
      g.ranges[key.substr(range_prefix.size())] = parse_range(key, p.value());
    else if (key.starts_with(meta_prefix))
      g.metadata[key.substr(meta_prefix.size())] = p.value();
  }
}

void write_metadata(const Graph& g, onnx::ModelProto& model) {
  put(model, std::string(input_key), to_text(g.input_range));
  for (const auto& [tensor, r] : g.ranges) put(model, std::string(range_prefix) + tensor, to_text(r));
  for (const auto& [key, value] : g.metadata) put(model, std::string(meta_prefix) + key, value);
}

}  // namespace velum::model
