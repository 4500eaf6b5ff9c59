#include "model/onnx_constant.h"

#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace velum::model {

static_assert(std::endian::native == std::endian::little, "ONNX raw data is little-endian");

namespace {

// The values, from raw_data or from the typed field `stored`, converted to T one by one.
template <typename Raw, typename T, typename Field>
std::vector<T> values(const onnx::TensorProto& t, const Field& stored, std::int64_t count,
                      const std::string& what) {
  const auto n = static_cast<std::size_t>(count);
  std::vector<T> out;
  if (t.has_raw_data()) {
    const std::string& raw = t.raw_data();
    if (raw.size() % sizeof(Raw) != 0 || raw.size() / sizeof(Raw) != n)
      fail_user("{} has {} bytes of data, expected {} values of {} bytes", what, raw.size(), n, sizeof(Raw));
    out.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      Raw v;
      std::memcpy(&v, raw.data() + i * sizeof(Raw), sizeof(Raw));
      out[i] = static_cast<T>(v);
    }
    return out;
  }
  if (static_cast<std::size_t>(stored.size()) != n)
    fail_user("{} has {} values, its shape needs {}", what, stored.size(), n);
  out.reserve(n);
  for (const auto v : stored) out.push_back(static_cast<T>(static_cast<Raw>(v)));
  return out;
}

}  // namespace

std::int64_t checked_count(const std::vector<std::int64_t>& dims, const std::string& what) {
  std::int64_t n = 1;
  for (const auto d : dims)
    if (d < 0 || __builtin_mul_overflow(n, d, &n))
      fail_user("{} has shape {}, which is not possible", what, fmt::join(dims, "x"));
  return n;
}

Constant read_tensor(const onnx::TensorProto& t, const std::string& what) {
  using Type = onnx::TensorProto;
  if (t.data_location() == Type::EXTERNAL || t.external_data_size() > 0)
    fail_user("{} keeps its data in another file (external data): save the model as one file", what);
  if (t.has_segment()) fail_user("{} is stored in segments, which no ONNX version defines", what);
  if (t.dims_size() > 8) fail_user("{} has {} axes, expected at most 8", what, t.dims_size());
  Constant c;
  c.dims.assign(t.dims().begin(), t.dims().end());
  const auto n = checked_count(c.dims, what);
  switch (t.data_type()) {
    case Type::FLOAT:
      c.floats = values<float, double>(t, t.float_data(), n, what);
      break;
    case Type::DOUBLE:
      c.floats = values<double, double>(t, t.double_data(), n, what);
      break;
    case Type::INT64:
      c.integers = values<std::int64_t, std::int64_t>(t, t.int64_data(), n, what);
      break;
    case Type::INT32:
      c.integers = values<std::int32_t, std::int64_t>(t, t.int32_data(), n, what);
      break;
    case Type::BOOL:
      c.integers = values<std::uint8_t, std::int64_t>(t, t.int32_data(), n, what);
      break;
    default: {
      const std::string type =
          onnx::TensorProto::DataType_IsValid(t.data_type())
              ? onnx::TensorProto::DataType_Name(static_cast<Type::DataType>(t.data_type()))
              : std::to_string(t.data_type());
      fail_user(
          "{} has type {}, expected FLOAT: export the network with 32-bit float weights, not quantised or "
          "half",
          what, type);
    }
  }
  c.integral = t.data_type() != Type::FLOAT && t.data_type() != Type::DOUBLE;
  for (std::size_t i = 0; i < c.floats.size(); ++i)
    if (!std::isfinite(c.floats[i]))
      fail_user("{} holds {} at position {}, expected a finite number", what, c.floats[i], i);
  return c;
}

}  // namespace velum::model
