#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "kernels/types.h"
#include "plan/key_bytes.h"
#include "plan/passes.h"
#include "plan/steps.h"
#include "plan/summary.h"

namespace velum::plan {

namespace {

std::string prime_bits(const std::vector<u64>& primes) {
  std::string text;
  for (const double bits : ckks::bits_of(primes))
    text += fmt::format("{}{:.2f}", text.empty() ? "" : " ", bits);
  return text.empty() ? "none" : text;
}

const char* finish_name(const Step& s) {
  if (s.kind == StepKind::squares) return "square+relin";
  if (s.kind == StepKind::rotation) return "rotate";
  if (s.streamed) return "streamed";
  switch (s.finish) {
    case Finish::none:
      return "-";
    case Finish::relinearise:
      return "relin";
    case Finish::rescale:
      return "rescale";
    case Finish::relinearise_rescale:
      return "relin+rescale";
  }
  return "";
}

int weight_bits(const Step& s) {
  int largest = 0;
  for (const auto w : s.weights) largest = std::max(largest, std::abs(int{w}));
  return largest ? static_cast<int>(std::floor(std::log2(largest))) + 2 : 0;
}

constexpr std::size_t kWidestRead = 60;  // longer ones push the columns after them aside

// What a step reads and how many elements of it, rotated copies counted with their originals.
using Read = std::vector<std::pair<std::string, std::size_t>>;

Read sources_of(const ServerPlan& plan, const Step& s) {
  Read read;
  for (const auto& source : s.sources) {
    constexpr std::string_view copies = ".rotated";
    auto name = plan.values[source.value].name;
    if (name.ends_with(copies)) name.resize(name.size() - copies.size());
    // The number of elements is to stand before the lift.
    name += source.kind == SourceKind::square ? "^2:" : ":";
    const std::string lift = source.lift > 1 ? "*lift" : "";
    const auto at = std::ranges::find_if(read, [&](const auto& r) { return r.first == name + lift; });
    if (at == read.end())
      read.emplace_back(name + lift, source.elements.size());
    else
      at->second += source.elements.size();
  }
  return read;
}

std::string to_text(const Read& read) {
  std::string text;
  for (const auto& [what, elements] : read)
    text += fmt::format("{}{}{}{}", text.empty() ? "" : "+", what.substr(0, what.rfind(':') + 1), elements,
                        what.substr(what.rfind(':') + 1));
  return text;
}

// Steps of one layer that do the same kind of work on the same values: in blocks a layer has dozens of
// partial sums.
struct Row {
  const Step* first = nullptr;
  std::size_t steps = 0, tasks = 0;
  std::uint64_t outputs = 0;
  int weight_bits = 0;
  Read read;
  StepCost cost;

  std::string name() const { return steps > 1 ? fmt::format("{} x{}", first->name, steps) : first->name; }
};

bool belongs(const ServerPlan& plan, const Row& row, const Step& s, const Read& read) {
  const auto& f = *row.first;
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  return f.name == s.name && f.kind == s.kind && f.finish == s.finish && f.streamed == s.streamed &&
         f.limbs == s.limbs && f.polys == s.polys &&
         plan.values[f.output].scale == plan.values[s.output].scale &&
         std::ranges::equal(row.read, read, same);
}

// In order of the first step of each.
std::vector<Row> rows_of(const ServerPlan& plan) {
  std::vector<std::size_t> tasks(plan.steps.size(), 0);
  for (const auto& task : plan.tasks) ++tasks[task.step];
  std::vector<Row> rows;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& s = plan.steps[i];
    const auto read = sources_of(plan, s);
    auto row = std::ranges::find_if(rows, [&](const Row& r) { return belongs(plan, r, s, read); });
    if (row == rows.end()) {
      rows.push_back({.first = &s, .read = read});
      row = rows.end() - 1;
    } else {
      for (std::size_t k = 0; k < read.size(); ++k) row->read[k].second += read[k].second;
    }
    row->steps += 1;
    row->tasks += tasks[i];
    row->outputs += plan.values[s.output].elements;
    row->weight_bits = std::max(row->weight_bits, weight_bits(s));
    add(row->cost, s.cost);
  }
  return rows;
}

// Bytes an image of a full batch takes on the wire: a limb packs bit_width(q) bits a residue.
double wire_bytes(const ClientPlan& c, std::uint64_t elements, std::uint32_t limbs, int polys) {
  double bits = 0;
  for (std::uint32_t l = 0; l < limbs; ++l) bits += kernels::bit_width(c.params.moduli[l]);
  const auto images = static_cast<double>(images_per_batch(c));
  return static_cast<double>(elements) * bits * polys * static_cast<double>(c.params.n) / images / 8;
}

std::string rotation_keys_text(const ServerPlan& p) {
  const auto& rotations = p.client.keys.rotations;
  if (rotations.empty()) return "";
  std::size_t most = 0;
  for (const auto& r : rotations) most = std::max(most, r.limbs);
  return fmt::format(", {} rotations at up to {} limbs", rotations.size(), most);
}

double precision_bits(const ServerPlan& p) {
  const auto& v = p.values[p.output_value];
  return -std::log2(v.error_rms / v.bound);
}

std::string count_text(std::uint64_t x) {
  if (x < 10000) return fmt::format("{}", x);
  if (x < 10000000) return fmt::format("{:.1f}k", static_cast<double>(x) / 1e3);
  if (x < 10000000000) return fmt::format("{:.1f}M", static_cast<double>(x) / 1e6);
  return fmt::format("{:.1f}G", static_cast<double>(x) / 1e9);
}

}  // namespace

double input_bytes(const ClientPlan& plan) {
  return wire_bytes(plan, input_ciphertexts(plan), plan.input_limbs, 1) *
         static_cast<double>(images_per_batch(plan));
}

std::string summary_text(const ServerPlan& p, std::uint64_t images) {
  const auto& c = p.client;
  const auto places = images_per_batch(c);
  const auto job = images > 0 ? images : places, batches = (job + places - 1) / places;
  const double seconds = p.total.seconds / std::max(p.threads, 1) * static_cast<double>(batches);
  std::string t;
  t += fmt::format("network     {}: {} to {} outputs\n", c.model_name, model::to_string(c.input_shape),
                   c.outputs);
  t += fmt::format("time        {} predicted for {} images in {} {}, {:.3g} ms an image, with {} threads\n",
                   format_duration(seconds), job, batches, batches == 1 ? "batch" : "batches",
                   1e3 * seconds / static_cast<double>(job), p.threads);
  t += fmt::format("memory      {} predicted, at the most, with {} threads\n",
                   format_bytes(static_cast<double>(p.peak_bytes)), p.threads);
  if (c.params.security == ckks::Security::none)
    t += "security    none (a test)\n";
  else
    t += fmt::format("security    {} bits (ring dimension {})\n", static_cast<int>(c.params.security),
                     c.params.n);
  t += fmt::format("precision   {:.1f} bits predicted, of outputs up to {:.4g}\n", precision_bits(p),
                   c.output_bound);
  t += fmt::format("sizes       {} an image to send, {} to get back; keys {}, once\n",
                   format_bytes(input_bytes(c) * static_cast<double>(batches) / static_cast<double>(job)),
                   format_bytes(wire_bytes(c, output_ciphertexts(c), c.output_limbs, c.output_polys) *
                                static_cast<double>(places * batches) / static_cast<double>(job)),
                   format_bytes(static_cast<double>(key_file_bytes(c))));
  if (c.public_key)
    t += fmt::format("public key  {}; images encrypted with it take {} each\n",
                     format_bytes(static_cast<double>(public_key_file_bytes(c))),
                     format_bytes(wire_bytes(c, input_ciphertexts(c), c.input_limbs, 2) *
                                  static_cast<double>(places * batches) / static_cast<double>(job)));
  t += fmt::format("places      {} of {} slots used{}: a batch takes as long however many are\n",
                   format_count(job * c.blocks), format_count(places * batches * c.blocks),
                   c.blocks > 1 ? fmt::format(", {} an image", format_count(c.blocks)) : "");
  return t;
}

std::string to_text(const ServerPlan& p) {
  const auto& c = p.client;
  const auto images = images_per_batch(c);
  std::string t;
  t += fmt::format("model       {}\n", c.model_name);
  t += fmt::format("ring        {}, N = {}, {} images a batch\n", ring::name(c.params.ring), c.params.n,
                   images);
  if (c.blocks > 1)
    t += fmt::format("packing     {} blocks a ciphertext; {} ciphertexts of inputs, {} of outputs\n",
                     c.blocks, input_ciphertexts(c), output_ciphertexts(c));
  t += fmt::format("moduli      {} bits, special {} bits\n", prime_bits(c.params.moduli),
                   prime_bits(c.params.special));
  const double qp = ckks::log2_qp(c.params);
  if (c.params.security == ckks::Security::none)
    t += fmt::format("security    none (a test), log2(QP) = {:.1f}\n", qp);
  else
    t += fmt::format("security    {} bits: log2(QP) = {:.1f} of {}\n", static_cast<int>(c.params.security),
                     qp, ckks::max_log2_qp(c.params.n, c.params.security));
  t += fmt::format("precision   {:.1f} bits predicted (rms error of an output over its bound {:.4g})\n",
                   precision_bits(p), c.output_bound);
  t += fmt::format("input       {} elements, {} limbs, scale 2^{:.2f}, {} an image\n", input_elements(c),
                   c.input_limbs, std::log2(c.input_scale),
                   format_bytes(wire_bytes(c, input_ciphertexts(c), c.input_limbs, 1)));
  t += fmt::format("output      {} elements, {} limbs, {} polynomials, scale 2^{:.2f}, {} an image\n",
                   c.outputs, c.output_limbs, c.output_polys, std::log2(c.output_scale),
                   format_bytes(wire_bytes(c, output_ciphertexts(c), c.output_limbs, c.output_polys)));
  t += fmt::format("keys        relinearisation at {} limbs{}, {}\n", c.keys.relinearise_limbs,
                   rotation_keys_text(p), format_bytes(static_cast<double>(key_file_bytes(c))));
  if (c.public_key)
    t += fmt::format("public key  {}; images encrypted with it take {} each\n",
                     format_bytes(static_cast<double>(public_key_file_bytes(c))),
                     format_bytes(wire_bytes(c, input_ciphertexts(c), c.input_limbs, 2)));
  t += fmt::format("memory      peak {} with {} threads, {} workspace each\n\n",
                   format_bytes(static_cast<double>(p.peak_bytes)), p.threads,
                   format_bytes(static_cast<double>(p.workspace_bytes_per_thread)));
  const auto rows = rows_of(p);
  std::size_t name_width = 22, read_width = 34;
  for (const auto& r : rows) {
    name_width = std::max(name_width, r.name().size());
    read_width = std::max(read_width, std::min(to_text(r.read).size(), kWidestRead));
  }
  t += fmt::format("{:<{}} {:<{}} {:>8} {:>5} {:>5} {:>6} {:>3} {:<14} {:>5} {:>9} {:>8} {:>10} {:>9}\n",
                   "step", name_width, "sources", read_width, "outputs", "limbs", "polys", "scale", "w",
                   "finish", "tasks", "mult-adds", "NTTs", "bytes", "time");
  const auto row = [&](const std::string& name, const std::string& sources, const std::string& rest,
                       const StepCost& cost) {
    t += fmt::format("{:<{}} {:<{}} {} {:>9} {:>8} {:>10} {:>9}\n", name, name_width, sources, read_width,
                     rest, count_text(cost.multiply_adds), cost.ntts,
                     format_bytes(static_cast<double>(cost.bytes)), format_duration(cost.seconds));
  };
  for (const auto& r : rows) {
    const auto& s = *r.first;
    row(r.name(), to_text(r.read),
        fmt::format("{:>8} {:>5} {:>5} {:>6.2f} {:>3} {:<14} {:>5}", r.outputs, s.limbs, s.polys,
                    std::log2(p.values[s.output].scale), r.weight_bits, finish_name(s), r.tasks),
        r.cost);
  }
  StepCost input;
  input.seconds = p.total.seconds;
  for (const auto& s : p.steps) input.seconds -= s.cost.seconds;
  row("reading the input", "",
      fmt::format("{:>8} {:>5} {:>5} {:>6} {:>3} {:<14} {:>5}", p.values[0].elements, c.input_limbs, 2, "",
                  "", "", ""),
      input);
  row("total", "",
      fmt::format("{:>8} {:>5} {:>5} {:>6} {:>3} {:<14} {:>5}", "", "", "", "", "", "", p.tasks.size()),
      p.total);
  const double cores = std::max(p.threads, 1);
  t += fmt::format("\npredicted   {} with {} threads, {:.4f} ms an image of a full batch\n",
                   format_duration(p.total.seconds / cores), p.threads,
                   1e3 * p.total.seconds / cores / static_cast<double>(images));
  return t;
}

std::string to_json(const PlanResult& result) {
  using nlohmann::json;
  const auto& p = result.plan;
  const auto& c = p.client;
  json j;
  j["model"] = c.model_name;
  json bits = json::array();
  for (const double b : ckks::bits_of(c.params.moduli)) bits.push_back(b);
  for (const double b : ckks::bits_of(c.params.special)) bits.push_back(b);
  j["params"] = {{"ring", ring::name(c.params.ring)},
                 {"ring_dimension", c.params.n},
                 {"slots", ring::slot_count(c.params.ring, c.params.n)},
                 {"prime_bits", bits},
                 {"special_primes", c.params.special.size()},
                 {"log2_qp", ckks::log2_qp(c.params)},
                 {"security_bits", static_cast<int>(c.params.security)}};
  j["precision_bits"] = precision_bits(p);
  j["packing"] = {{"blocks", c.blocks},
                  {"images_per_batch", images_per_batch(c)},
                  {"input_ciphertexts", input_ciphertexts(c)},
                  {"output_ciphertexts", output_ciphertexts(c)}};
  j["input"] = {{"elements", input_elements(c)},
                {"limbs", c.input_limbs},
                {"log2_scale", std::log2(c.input_scale)},
                {"bytes_per_image", wire_bytes(c, input_ciphertexts(c), c.input_limbs, 1)}};
  j["output"] = {{"elements", c.outputs},
                 {"limbs", c.output_limbs},
                 {"polys", c.output_polys},
                 {"log2_scale", std::log2(c.output_scale)},
                 {"bytes_per_image", wire_bytes(c, output_ciphertexts(c), c.output_limbs, c.output_polys)}};
  j["keys"] = {{"relinearise_limbs", c.keys.relinearise_limbs},
               {"rotations", c.keys.rotations.size()},
               {"bytes", key_file_bytes(c)}};
  if (c.public_key)
    j["public_key"] = {{"bytes", public_key_file_bytes(c)},
                       {"input_bytes_per_image", wire_bytes(c, input_ciphertexts(c), c.input_limbs, 2)}};
  j["memory"] = {{"peak_bytes", p.peak_bytes},
                 {"threads", p.threads},
                 {"workspace_bytes_per_thread", p.workspace_bytes_per_thread}};
  const auto cost = [](const StepCost& s) {
    return json{{"multiply_adds", s.multiply_adds},
                {"ntts", s.ntts},
                {"key_products", s.key_products},
                {"bytes", s.bytes},
                {"seconds", s.seconds}};
  };
  j["steps"] = json::array();
  for (const auto& s : p.steps) {
    const auto& v = p.values[s.output];
    json step = cost(s.cost);
    step.update({{"name", s.name},
                 {"sources", to_text(sources_of(p, s))},
                 {"outputs", v.elements},
                 {"limbs", s.limbs},
                 {"polys", s.polys},
                 {"log2_scale", std::log2(v.scale)},
                 {"weight_bits", weight_bits(s)},
                 {"finish", finish_name(s)},
                 {"predicted_precision_bits", -std::log2(v.error_rms / v.bound)}});
    j["steps"].push_back(step);
  }
  j["total"] = cost(p.total);
  j["tasks"] = p.tasks.size();
  j["choices"] = json::array();
  for (const auto& ch : result.choices)
    j["choices"].push_back(
        {{"what", ch.what}, {"chosen", ch.chosen}, {"why", ch.why}, {"runner_up", ch.runner_up}});
  j["packings"] = json::array();
  for (const auto& o : result.options)
    j["packings"].push_back({{"blocks", o.blocks},
                             {"ring_dimension", o.n},
                             {"what", o.what},
                             {"images_per_batch", o.images_per_batch},
                             {"batches", o.batches},
                             {"seconds", o.seconds},
                             {"seconds_per_image", o.seconds_per_image},
                             {"peak_bytes", o.peak_bytes},
                             {"key_bytes", o.key_bytes},
                             {"input_bytes_per_image", o.input_bytes_per_image}});
  j["notes"] = result.notes;
  j["rates"] = result.rates_origin;
  return j.dump(2) + "\n";
}

}  // namespace velum::plan
