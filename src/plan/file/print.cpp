#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "plan/key_bytes.h"
#include "plan/passes.h"
#include "plan/summary.h"

namespace velum::plan {

namespace {

std::string prime_bits(const std::vector<u64>& primes) {
  std::string text;
  for (const auto q : primes)
    text += fmt::format("{}{:.2f}", text.empty() ? "" : " ", std::log2(static_cast<double>(q)));
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

std::string sources_text(const ServerPlan& plan, const Step& s) {
  std::string text;
  for (const auto& source : s.sources)
    text += fmt::format("{}{}{}:{}{}", text.empty() ? "" : "+", plan.values[source.value].name,
                        source.kind == SourceKind::square ? "^2" : "", source.elements.size(),
                        source.lift > 1 ? "*lift" : "");
  return text;
}

// Bytes an image of a full batch takes on the wire: a limb packs bit_width(q) bits a residue.
double wire_bytes(const ClientPlan& c, std::uint64_t elements, std::uint32_t limbs, int polys) {
  double bits = 0;
  for (std::uint32_t l = 0; l < limbs; ++l)
    bits += std::ceil(std::log2(static_cast<double>(c.params.moduli[l])));
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
  t += fmt::format("places      {} of {} for images are used: a batch takes as long however many are\n", job,
                   places * batches);
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
  const double qp = ckks::log2_product(c.params.moduli) + ckks::log2_product(c.params.special);
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
  t += fmt::format("{:<22} {:<34} {:>8} {:>5} {:>5} {:>6} {:>3} {:<14} {:>5} {:>9} {:>8} {:>10} {:>9}\n",
                   "step", "sources", "outputs", "limbs", "polys", "scale", "w", "finish", "tasks",
                   "mult-adds", "NTTs", "bytes", "time");
  std::vector<std::size_t> tasks(p.steps.size(), 0);
  for (const auto& task : p.tasks) ++tasks[task.step];
  const auto row = [&](const std::string& name, const std::string& sources, const std::string& rest,
                       const StepCost& cost) {
    t += fmt::format("{:<22} {:<34} {} {:>9} {:>8} {:>10} {:>9}\n", name, sources, rest,
                     count_text(cost.multiply_adds), cost.ntts, format_bytes(static_cast<double>(cost.bytes)),
                     format_duration(cost.seconds));
  };
  for (std::size_t i = 0; i < p.steps.size(); ++i) {
    const auto& s = p.steps[i];
    const auto& v = p.values[s.output];
    row(s.name, sources_text(p, s),
        fmt::format("{:>8} {:>5} {:>5} {:>6.2f} {:>3} {:<14} {:>5}", v.elements, s.limbs, s.polys,
                    std::log2(v.scale), weight_bits(s), finish_name(s), tasks[i]),
        s.cost);
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
  for (const auto q : c.params.moduli) bits.push_back(std::log2(static_cast<double>(q)));
  for (const auto q : c.params.special) bits.push_back(std::log2(static_cast<double>(q)));
  j["params"] = {{"ring", ring::name(c.params.ring)},
                 {"ring_dimension", c.params.n},
                 {"slots", ring::slot_count(c.params.ring, c.params.n)},
                 {"prime_bits", bits},
                 {"special_primes", c.params.special.size()},
                 {"log2_qp", ckks::log2_product(c.params.moduli) + ckks::log2_product(c.params.special)},
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
                 {"sources", sources_text(p, s)},
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
