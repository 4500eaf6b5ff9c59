// The planner as other rooms call it: what is asked of a plan, `make_plan`, and what came of it, also as
// text. The stages that `make_plan` runs are the folders beside this file (docs/design.md, "Who may know
// whom").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/graph.h"
#include "plan/files.h"
#include "plan/meaning.h"
#include "plan/plan.h"
#include "plan/schedule/rates.h"

namespace velum::plan {

// Which packings the planner may choose from (docs/design.md, "Blocks").
enum class Packing : std::uint8_t {
  automatic,  // whichever takes least time for the batch, within the memory
  batch,      // one element a ciphertext
  blocks,     // P blocks a ciphertext, P > 1
  channels,   // blocks for every position of the largest map at least
};

struct Request {
  std::uint64_t batch = 0;  // images that a job brings; 0: as many as a ring holds, one element a ciphertext
  Packing packing = Packing::automatic;
  std::uint32_t blocks = 0;  // this P and no other; 0: the planner's own
  bool frontier = false;     // plan every packing that suits the network, not only the most promising ones
  ckks::Security security = ckks::Security::bits128;
  ckks::RingType ring = ckks::RingType::real;
  // Every output has at least this: -log2(its predicted rms error over images / bound of the outputs); 0: the
  // planner's own (precision.h).
  double precision_bits = 0;
  std::uint64_t memory_bytes = 0;      // that evaluation may take; 0: no limit
  int threads = 0;                     // 0: all
  int min_log_n = 12, max_log_n = 16;  // tests lower min_log_n with Security::none
  MachineRates rates;                  // velum bench calibrate measures them; built-in defaults otherwise
  std::string rates_origin = "built-in defaults";
  bool statistics = true;  // give the client those of the images that the ranges were measured on
  // Forced choices (0: the planner's own), for experiments and --explain.
  int weight_bits = 0, scale_bits = 0, input_bits = 0;
  DataForm form;               // goes into the plan as it is
  bool small_results = false;  // of as few bytes as can be, also where that takes time and a key
  bool public_key = false;     // inputs may come encrypted with a public key, whose noise is larger
  std::function<void()> tick;  // called now and then; what it throws ends the planning
};

// The rates of one thread among as many as the request has.
Rates rates_of(const Request& request);

struct Choice {  // one line of --explain
  std::string what, chosen, why, runner_up;
};

// One packing that was planned, for the batch that was asked for.
struct PackingOption {
  std::uint32_t blocks = 1;
  std::size_t n = 0;
  std::string what;
  std::uint64_t images_per_batch = 0, batches = 1;
  double seconds = 0, seconds_per_image = 0;  // with the request's threads
  std::uint64_t peak_bytes = 0, key_bytes = 0;
  double input_bytes_per_image = 0;
};

struct PlanResult {
  ServerPlan plan;
  std::vector<PackingOption> options;  // all that were tried and fit
  std::vector<Meaning> meanings;       // of the plan's values
  std::vector<Work> work;              // of each step; one thread's share of a second follows from the rates
  Work input_work{};                   // of reading and expanding the inputs
  std::string rates_origin;
  std::vector<Choice> choices;
  std::vector<std::string> notes;
};

// Throws Error(user): not polynomial (node), no range (tensor), too deep (with the depth that fits), over the
// memory (both figures), under the precision (layer).
PlanResult make_plan(const model::Graph& graph, const Request& request);

// Bytes of a batch of encrypted inputs as it travels, headers left out.
double input_bytes(const ClientPlan& plan);
std::string to_text(const ServerPlan& plan);  // the table that `velum plan` prints; golden tests hold it
std::string explain_text(const PlanResult& result);
std::string to_json(const PlanResult& result);

}  // namespace velum::plan
