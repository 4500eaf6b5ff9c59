#include "model/onnx/constant.h"

#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace velum::model {

static_assert(std::endian::native == std::endian::little, "ONNX raw data is little-endian");

namespace {

// A half-precision number, as its bits.
double half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return fraction ? std::numeric_limits<double>::quiet_NaN() : sign * HUGE_VAL;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

// The upper half of a float.
double brain(std::uint16_t bits) {
  const auto wide = static_cast<std::uint32_t>(bits) << 16;
  return static_cast<double>(std::bit_cast<float>(wide));
}

struct Source {
  const onnx::TensorProto& t;
  std::int64_t count;
  const ExternalFolder& folder;
  const std::string& what;
};

// The values, from raw_data, a file beside, or the typed field `stored`, each through `convert`.
template <typename Raw, typename T, typename Field, typename Convert>
void read(const Source& s, const Field& stored, std::vector<T>& out, Convert convert) {
  const auto n = static_cast<std::size_t>(s.count);
  const auto from_bytes = [&](const std::string& raw) {
    if (raw.size() % sizeof(Raw) != 0 || raw.size() / sizeof(Raw) != n)
      fail_user("{} has {} bytes of data, expected {} values of {} bytes", s.what, raw.size(), n,
                sizeof(Raw));
    out.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      Raw v;
      std::memcpy(&v, raw.data() + i * sizeof(Raw), sizeof(Raw));
      out[i] = static_cast<T>(convert(v));
    }
  };
  if (s.t.data_location() == onnx::TensorProto::EXTERNAL || s.t.external_data_size() > 0) {
    if (n > std::size_t{1} << 40) fail_user("{} has {} values, more than any file holds", s.what, n);
    return from_bytes(read_external(s.t, n * sizeof(Raw), s.folder, s.what));
  }
  if (s.t.has_raw_data()) return from_bytes(s.t.raw_data());
  if (static_cast<std::size_t>(stored.size()) != n)
    fail_user("{} has {} values, its shape needs {}", s.what, stored.size(), n);
  out.reserve(n);
  for (const auto v : stored) out.push_back(static_cast<T>(convert(static_cast<Raw>(v))));
}

template <typename Raw, typename T, typename Field>
void read(const Source& s, const Field& stored, std::vector<T>& out) {
  read<Raw>(s, stored, out, [](Raw v) { return v; });
}

}  // namespace

std::int64_t checked_count(const std::vector<std::int64_t>& dims, const std::string& what) {
  std::int64_t n = 1;
  for (const auto d : dims)
    if (d < 0 || __builtin_mul_overflow(n, d, &n))
      fail_user("{} has shape {}, which is not possible", what, fmt::join(dims, "x"));
  return n;
}

std::string type_name(int type) {
  return onnx::TensorProto::DataType_IsValid(type)
             ? onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(type))
             : std::to_string(type);
}

bool is_real(int type) {
  using Type = onnx::TensorProto;
  return type == Type::FLOAT || type == Type::DOUBLE || type == Type::FLOAT16 || type == Type::BFLOAT16;
}

bool is_integral(int type) {
  using Type = onnx::TensorProto;
  return type == Type::INT64 || type == Type::INT32 || type == Type::INT16 || type == Type::INT8 ||
         type == Type::UINT64 || type == Type::UINT32 || type == Type::UINT16 || type == Type::UINT8 ||
         type == Type::BOOL;
}

Constant read_tensor(const onnx::TensorProto& t, const std::string& what, const ExternalFolder& folder) {
  using Type = onnx::TensorProto;
  if (t.has_segment()) fail_user("{} is stored in segments, which no ONNX version defines", what);
  if (t.dims_size() > 8) fail_user("{} has {} axes, expected at most 8", what, t.dims_size());
  Constant c;
  c.dims.assign(t.dims().begin(), t.dims().end());
  const Source s{t, checked_count(c.dims, what), folder, what};
  switch (t.data_type()) {
    case Type::FLOAT:
      read<float>(s, t.float_data(), c.floats);
      break;
    case Type::DOUBLE:
      read<double>(s, t.double_data(), c.floats);
      break;
    case Type::FLOAT16:
      read<std::uint16_t>(s, t.int32_data(), c.floats, half);
      break;
    case Type::BFLOAT16:
      read<std::uint16_t>(s, t.int32_data(), c.floats, brain);
      break;
    case Type::INT64:
      read<std::int64_t>(s, t.int64_data(), c.integers);
      break;
    case Type::INT32:
      read<std::int32_t>(s, t.int32_data(), c.integers);
      break;
    case Type::INT16:
      read<std::int16_t>(s, t.int32_data(), c.integers);
      break;
    case Type::INT8:
      read<std::int8_t>(s, t.int32_data(), c.integers, [](std::int8_t v) { return std::int64_t{v}; });
      break;
    case Type::UINT64:
      read<std::uint64_t>(s, t.uint64_data(), c.integers);
      break;
    case Type::UINT32:
      read<std::uint32_t>(s, t.uint64_data(), c.integers);
      break;
    case Type::UINT16:
      read<std::uint16_t>(s, t.int32_data(), c.integers);
      break;
    case Type::UINT8:
    case Type::BOOL:
      read<std::uint8_t>(s, t.int32_data(), c.integers);
      break;
    default:
      fail_user("{} has type {}, expected FLOAT: export the network with 32-bit float weights", what,
                type_name(t.data_type()));
  }
  c.integral = !is_real(t.data_type());
  c.type = t.data_type();
  for (std::size_t i = 0; i < c.floats.size(); ++i)
    if (!std::isfinite(c.floats[i]))
      fail_user("{} holds {} at position {}, expected a finite number", what, c.floats[i], i);
  return c;
}

}  // namespace velum::model
