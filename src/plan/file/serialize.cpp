#include <sodium.h>

#include <algorithm>
#include <cmath>

#include "base/bytes.h"
#include "base/container.h"
#include "base/error.h"
#include "base/text.h"
#include "plan/file/identity.h"
#include "plan/files.h"

namespace velum::plan {

namespace {

constexpr std::uint32_t kVersion = 5;
// Counts in a file are checked against these before anything is allocated (and against the bytes that are
// left).
constexpr std::uint64_t kMostElements = 1u << 26, kMostSteps = 1u << 16,
                        kMostWeights = std::uint64_t{1} << 34, kMostName = 4096, kMostAxes = 8,
                        kMostClasses = 65536;

template <typename T>
T checked(T value, T low, T high, const ByteReader& in, const char* what) {
  if (!(value >= low && value <= high))
    fail_user("{}: {} is {}, expected {} to {}", in.what(), what, value, low, high);
  return value;
}

template <typename T>
std::span<const T> view(const std::vector<T>& v) {
  return {v.data(), v.size()};
}

// Names are written as they can be shown, and read only if they are: one plan has one file.
void put_name(ByteWriter& out, const std::string& name) {
  out.put_string(printable(name));
}

std::string get_name(ByteReader& in) {
  auto name = in.get_string(kMostName);
  if (printable(name) != name)
    fail_user("{}: the name '{}' holds bytes that Velum does not write: the file is damaged or was altered",
              in.what(), printable(name));
  return name;
}

// --- the public half ---

void put_form(ByteWriter& out, const DataForm& f) {
  out.put(f.low);
  out.put(f.high);
  for (const bool flag : {f.range_stated, f.channels_last, f.as_they_lie}) out.put<std::uint8_t>(flag);
  out.put(static_cast<std::uint8_t>(f.fitting));
  out.put(static_cast<std::uint8_t>(f.outputs));
  out.put(f.threshold);
  out.put<std::uint64_t>(f.classes.size());
  for (const auto& name : f.classes) put_name(out, name);
}

DataForm get_form(ByteReader& in) {
  DataForm f;
  f.low = in.get<double>();
  f.high = in.get<double>();
  if (!(f.low < f.high && std::isfinite(f.high - f.low)))
    fail_user("{}: pixels from {} to {}, two numbers expected, the first of them smaller", in.what(), f.low,
              f.high);
  for (bool* flag : {&f.range_stated, &f.channels_last, &f.as_they_lie})
    *flag = checked<int>(in.get<std::uint8_t>(), 0, 1, in, "a flag of the images' form") != 0;
  f.fitting = static_cast<Fitting>(checked<int>(in.get<std::uint8_t>(), 0, 2, in, "the images' fitting"));
  f.outputs = static_cast<OutputKind>(checked<int>(in.get<std::uint8_t>(), 0, 3, in, "the kind of outputs"));
  f.threshold = in.get<double>();
  if (!std::isfinite(f.threshold))
    fail_user("{}: the threshold is {}, a number expected", in.what(), f.threshold);
  f.classes.resize(in.count(kMostClasses, 4));
  for (auto& name : f.classes) name = get_name(in);
  return f;
}

void put_public(ByteWriter& out, const ClientPlan& p) {
  // The literal is written field by field: a plan may be built for parameters too small for ckks to write
  // (tests).
  out.put(static_cast<std::uint8_t>(p.params.ring));
  out.put<std::uint64_t>(p.params.n);
  out.put_array(view(p.params.moduli));
  out.put_array(view(p.params.special));
  out.put(static_cast<std::uint16_t>(p.params.security));
  out.put<std::uint64_t>(p.keys.relinearise_limbs);
  out.put<std::uint64_t>(p.keys.rotations.size());
  for (const auto& r : p.keys.rotations) {
    out.put(r.steps);
    out.put(static_cast<std::uint32_t>(r.limbs));
  }
  out.put(p.blocks);
  put_name(out, p.model_name);
  out.put_array(view(p.input_shape));
  out.put(p.input_low);
  out.put(p.input_high);
  out.put(p.input_scale);
  out.put(p.input_limbs);
  out.put<std::uint8_t>(p.public_key);
  out.put_array(view(p.input_order));
  out.put(p.outputs);
  out.put_array(view(p.output_order));
  out.put(p.output_scale);
  out.put(p.output_limbs);
  out.put(p.output_polys);
  out.put(p.output_bound);
  put_form(out, p.form);
  out.put(p.statistics.images);
  out.put_array(view(p.statistics.mean));
  out.put_array(view(p.statistics.deviation));
  for (const auto& l : p.statistics.limits) {
    out.put(l.low);
    out.put(l.high);
  }
  out.put_bytes(std::as_bytes(std::span(p.server_digest)));
}

ClientPlan get_public(ByteReader& in) {
  ClientPlan p;
  p.params.ring = static_cast<ckks::RingType>(checked<int>(in.get<std::uint8_t>(), 0, 1, in, "ring type"));
  p.params.n = checked<std::uint64_t>(in.get<std::uint64_t>(), 16, 1u << 16, in, "ring dimension");
  p.params.moduli = in.get_array<u64>(256);
  p.params.special = in.get_array<u64>(64);
  const auto security = in.get<std::uint16_t>();
  if (security != 0 && security != 128 && security != 192 && security != 256)
    fail_user("{}: security is {} bits, expected 128, 192 or 256", in.what(), security);
  p.params.security = static_cast<ckks::Security>(security);
  p.keys.relinearise_limbs = in.get<std::uint64_t>();
  p.keys.rotations.resize(in.count(p.params.n, 2 * sizeof(std::uint32_t)));
  for (auto& r : p.keys.rotations) {
    r.steps = in.get<std::uint32_t>();
    r.limbs = in.get<std::uint32_t>();
  }
  p.blocks = checked<std::uint32_t>(in.get<std::uint32_t>(), 1, 1u << 16, in, "number of blocks");
  p.model_name = get_name(in);
  p.input_shape = in.get_array<std::int64_t>(kMostAxes);
  p.input_low = in.get<double>();
  p.input_high = in.get<double>();
  p.input_scale = in.get<double>();
  p.input_limbs = in.get<std::uint32_t>();
  p.public_key = checked<int>(in.get<std::uint8_t>(), 0, 1, in, "the flag of public-key encryption") != 0;
  p.input_order = in.get_array<std::uint32_t>(kMostElements);
  p.outputs = in.get<std::uint32_t>();
  p.output_order = in.get_array<std::uint32_t>(kMostElements);
  p.output_scale = in.get<double>();
  p.output_limbs = in.get<std::uint32_t>();
  p.output_polys = in.get<std::uint8_t>();
  p.output_bound = in.get<double>();
  p.form = get_form(in);
  p.statistics.images = in.get<std::uint32_t>();
  p.statistics.mean = in.get_array<std::uint8_t>(kMostElements);
  p.statistics.deviation = in.get_array<std::uint8_t>(kMostElements);
  for (auto& l : p.statistics.limits) {
    l.low = in.get<std::int32_t>();
    l.high = in.get<std::int32_t>();
  }
  std::ranges::copy(in.get_bytes(p.server_digest.size()), p.server_digest.begin());
  return p;
}

void put_client(ByteWriter& out, const ClientPlan& p) {
  put_public(out, p);
  out.put_bytes(std::as_bytes(std::span(p.id)));
}

ClientPlan get_client(ByteReader& in) {
  auto p = get_public(in);
  const auto id = in.get_bytes(p.id.size());
  std::copy(id.begin(), id.end(), p.id.begin());
  if (p.id != plan_id(p))
    fail_user("{}: its id does not belong to its contents: the file is damaged or was altered", in.what());
  return p;
}

// --- values, steps, tasks ---

void put_value(ByteWriter& out, const Value& v) {
  put_name(out, v.name);
  out.put(v.elements);
  out.put_array(view(v.layout));
  out.put(v.polys);
  out.put(v.limbs);
  for (const double x : {v.scale, v.bound, v.rms, v.error_rms}) out.put(x);
  out.put_array(view(v.row_begin));
}

Value get_value(ByteReader& in) {
  Value v;
  v.name = get_name(in);
  v.elements = in.get<std::uint32_t>();
  v.layout = in.get_array<std::uint32_t>(kMostElements);
  v.polys = in.get<std::uint8_t>();
  v.limbs = in.get<std::uint32_t>();
  for (double* x : {&v.scale, &v.bound, &v.rms, &v.error_rms}) *x = in.get<double>();
  v.row_begin = in.get_array<std::uint32_t>(kMostElements);
  return v;
}

void put_cost(ByteWriter& out, const StepCost& c) {
  for (const auto x : {c.multiply_adds, c.ntts, c.key_products, c.bytes}) out.put(x);
  out.put(c.seconds);
}

StepCost get_cost(ByteReader& in) {
  StepCost c;
  for (auto* x : {&c.multiply_adds, &c.ntts, &c.key_products, &c.bytes}) *x = in.get<std::uint64_t>();
  c.seconds = in.get<double>();
  return c;
}

void put_step(ByteWriter& out, const Step& s) {
  out.put(static_cast<std::uint8_t>(s.kind));
  put_name(out, s.name);
  out.put(s.output);
  out.put<std::uint64_t>(s.sources.size());
  for (const auto& source : s.sources) {
    out.put(source.value);
    out.put(static_cast<std::uint8_t>(source.kind));
    out.put(source.lift);
    out.put_array(view(source.elements));
  }
  out.put(s.limbs);
  out.put(s.polys);
  out.put<std::uint64_t>(s.pairs.size());
  for (const auto& p : s.pairs) {
    out.put(p.first);
    out.put(p.second);
  }
  out.put<std::uint64_t>(s.groups.size());
  for (const auto& g : s.groups) {
    out.put(g.first_output);
    out.put(g.rows);
    out.put_array(view(g.pairs));
    out.put(g.weight_offset);
    out.put(g.run_pairs);
    out.put(g.row_l1);
    out.put_array(view(g.periodic_inputs));
    out.put(g.periodic_offset);
  }
  out.put_array(view(s.weights));
  out.put_array(view(s.periodic));
  out.put_array(view(s.bias));
  out.put_array(view(s.shifts));
  out.put(s.affine_scale);
  out.put(static_cast<std::uint8_t>(s.finish));
  out.put(static_cast<std::uint8_t>(s.streamed));
  put_cost(out, s.cost);
}

Step get_step(ByteReader& in) {
  Step s;
  s.kind = static_cast<StepKind>(checked<int>(in.get<std::uint8_t>(), 0, 2, in, "step kind"));
  s.name = get_name(in);
  s.output = in.get<std::uint32_t>();
  s.sources.resize(in.count(kMostSteps, 21));
  for (auto& source : s.sources) {
    source.value = in.get<std::uint32_t>();
    source.kind = static_cast<SourceKind>(checked<int>(in.get<std::uint8_t>(), 0, 1, in, "source kind"));
    source.lift = in.get<std::uint64_t>();
    source.elements = in.get_array<std::uint32_t>(kMostElements);
  }
  s.limbs = in.get<std::uint32_t>();
  s.polys = in.get<std::uint8_t>();
  s.pairs.resize(in.count(kMostElements, 8));
  for (auto& p : s.pairs) {
    p.first = in.get<std::uint32_t>();
    p.second = in.get<std::uint32_t>();
  }
  s.groups.resize(in.count(kMostElements, 52));
  for (auto& g : s.groups) {
    g.first_output = in.get<std::uint32_t>();
    g.rows = in.get<std::uint32_t>();
    g.pairs = in.get_array<std::uint32_t>(kMostElements);
    g.weight_offset = in.get<std::uint64_t>();
    g.run_pairs = in.get<std::uint32_t>();
    g.row_l1 = in.get<std::uint64_t>();
    g.periodic_inputs = in.get_array<std::uint32_t>(kMostElements);
    g.periodic_offset = in.get<std::uint64_t>();
  }
  s.weights = in.get_array<std::int16_t>(kMostWeights);
  s.periodic = in.get_array<std::int32_t>(kMostWeights);
  s.bias = in.get_array<double>(kMostElements);
  s.shifts = in.get_array<std::int32_t>(kMostElements);
  s.affine_scale = in.get<double>();
  s.finish = static_cast<Finish>(checked<int>(in.get<std::uint8_t>(), 0, 3, in, "finish"));
  s.streamed = checked<int>(in.get<std::uint8_t>(), 0, 1, in, "mark of a stream") != 0;
  s.cost = get_cost(in);
  return s;
}

void put_task(ByteWriter& out, const Task& t) {
  out.put(t.step);
  out.put(t.group_begin);
  out.put(t.group_end);
  out.put<std::uint64_t>(t.releases.size());
  for (const auto& r : t.releases)
    for (const auto x : {r.value, r.row_begin, r.row_end}) out.put(x);
}

Task get_task(ByteReader& in) {
  Task t;
  t.step = in.get<std::uint32_t>();
  t.group_begin = in.get<std::uint32_t>();
  t.group_end = in.get<std::uint32_t>();
  t.releases.resize(in.count(kMostElements, 12));
  for (auto& r : t.releases)
    for (auto* x : {&r.value, &r.row_begin, &r.row_end}) *x = in.get<std::uint32_t>();
  return t;
}

// What only the server half holds, in pieces: all of it may be large.
template <typename Take>
void put_server(const ServerPlan& p, Take&& take) {
  const auto piece = [&](auto&& put) {
    ByteWriter out;
    put(out);
    take(std::as_bytes(std::span(out.bytes())));
  };
  piece([&](ByteWriter& out) {
    out.put<std::uint64_t>(p.values.size());
    for (const auto& v : p.values) put_value(out, v);
    out.put<std::uint64_t>(p.steps.size());
  });
  for (const auto& s : p.steps) piece([&](ByteWriter& out) { put_step(out, s); });
  piece([&](ByteWriter& out) {
    out.put<std::uint64_t>(p.tasks.size());
    for (const auto& t : p.tasks) put_task(out, t);
    out.put(p.output_value);
    out.put(p.peak_bytes);
    out.put(p.workspace_bytes_per_thread);
    out.put<std::int32_t>(p.threads);
    put_cost(out, p.total);
  });
}

// What the parameters themselves promise: Security::none never comes from a file.
void check_parameters(const ClientPlan& p, const std::string& what) {
  if (p.params.security == ckks::Security::none)
    fail_user(
        "{}: its parameters claim no security, which is allowed in tests only; make the plan again with "
        "'velum plan'",
        what);
  verify_client_plan(p, what);
  model::check_statistics(p.statistics, input_elements(p), what);
}

}  // namespace

std::array<std::uint8_t, 16> plan_id(const ClientPlan& plan) {
  ByteWriter out;
  put_public(out, plan);
  std::array<std::uint8_t, 16> id{};
  crypto_generichash(id.data(), id.size(), out.bytes().data(), out.size(), nullptr, 0);
  return id;
}

std::array<std::uint8_t, 32> server_digest(const ServerPlan& plan) {
  crypto_generichash_state state;
  std::array<std::uint8_t, 32> digest{};
  crypto_generichash_init(&state, nullptr, 0, digest.size());
  put_server(plan, [&](std::span<const std::byte> bytes) {
    crypto_generichash_update(&state, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  });
  crypto_generichash_final(&state, digest.data(), digest.size());
  return digest;
}

void seal_plan(ServerPlan& plan) {
  plan.client.server_digest = server_digest(plan);
  plan.client.id = plan_id(plan.client);
}

std::vector<std::uint8_t> write_client_plan(const ClientPlan& p) {
  ByteWriter out;
  put_client(out, p);
  return wrap(FileType::client_plan, kVersion, out.bytes());
}

ClientPlan read_client_plan(std::span<const std::uint8_t> bytes, const std::string& what) {
  ByteReader in(unwrap(bytes, FileType::client_plan, kVersion, what), what);
  auto p = get_client(in);
  in.expect_end();
  check_parameters(p, what);
  return p;
}

std::vector<std::uint8_t> write_server_plan(const ServerPlan& p) {
  ByteWriter out;
  put_client(out, p.client);
  put_server(p, [&](std::span<const std::byte> bytes) { out.put_bytes(bytes); });
  return wrap(FileType::server_plan, kVersion, out.bytes());
}

ServerPlan read_server_plan(std::span<const std::uint8_t> bytes, const std::string& what) {
  const auto payload = unwrap(bytes, FileType::server_plan, kVersion, what);
  ByteReader in(payload, what);
  ServerPlan p;
  p.client = get_client(in);
  const auto own = payload.subspan(in.position());
  check_parameters(p.client, what);
  p.values.resize(in.count(kMostSteps, 50));
  for (auto& v : p.values) v = get_value(in);
  p.steps.resize(in.count(kMostSteps, 100));
  for (auto& s : p.steps) s = get_step(in);
  p.tasks.resize(in.count(kMostElements, 20));
  for (auto& t : p.tasks) t = get_task(in);
  p.output_value = in.get<std::uint32_t>();
  p.peak_bytes = in.get<std::uint64_t>();
  p.workspace_bytes_per_thread = in.get<std::uint64_t>();
  p.threads = in.get<std::int32_t>();
  p.total = get_cost(in);
  in.expect_end();
  try {
    verify_plan(p);
  } catch (const Error& e) {
    throw e.within(what);
  }
  decltype(p.client.server_digest) digest{};
  crypto_generichash(digest.data(), digest.size(), own.data(), own.size(), nullptr, 0);
  if (digest != p.client.server_digest)
    fail_user("{}: its id does not belong to its weights and steps: the file is damaged or was altered",
              what);
  return p;
}

}  // namespace velum::plan
