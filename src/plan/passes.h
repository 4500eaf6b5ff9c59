// The planner as a chain of passes, one file each. `make_plan` runs them all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/meaning.h"
#include "plan/plan.h"
#include "plan/rates.h"

namespace velum::plan {

struct Request {
  int batch = 0;  // images; 0: as many as there are slots
  ckks::Security security = ckks::Security::bits128;
  ckks::RingType ring = ckks::RingType::real;
  // At least this: -log2(predicted rms error of an output / largest output); 0: the planner's own (precision.h).
  double precision_bits = 0;
  std::uint64_t memory_bytes = 0;  // 0: what the machine has available
  int threads = 0;                 // 0: all
  int min_log_n = 12, max_log_n = 16;  // tests lower min_log_n with Security::none
  MachineRates rates;                  // velum bench calibrate measures them; built-in defaults otherwise
  std::string rates_origin = "built-in defaults";
  // Forced choices (0: the planner's own), for experiments and --explain.
  int weight_bits = 0, scale_bits = 0, input_bits = 0;
};

// The rates of one thread among as many as the request has.
Rates rates_of(const Request& request);

struct Choice {  // one line of --explain
  std::string what, chosen, why, runner_up;
};

struct PlanResult {
  ServerPlan plan;
  std::vector<Meaning> meanings;  // of the plan's values
  std::vector<Work> work;  // of each step; one thread's share of a second follows from the rates
  Work input_work{};       // of reading and expanding the inputs
  std::string rates_origin;
  std::vector<Choice> choices;
  std::vector<std::string> notes;
};

// Throws Error(user): not polynomial (node), no range (tensor), too deep (with the depth that fits), over the
// memory (both figures), under the precision (layer).
PlanResult make_plan(const model::Graph& graph, const Request& request);

std::string to_text(const ServerPlan& plan);  // the table that `velum plan` prints; golden tests hold it
std::string explain_text(const PlanResult& result);
std::string to_json(const PlanResult& result);

// Files. The client half travels alone; the server half contains it.
std::vector<std::uint8_t> write_client_plan(const ClientPlan& p);
ClientPlan read_client_plan(std::span<const std::uint8_t> bytes, const std::string& what);
std::vector<std::uint8_t> write_server_plan(const ServerPlan& p);
ServerPlan read_server_plan(std::span<const std::uint8_t> bytes,
                            const std::string& what);  // verified: see verify_plan

// Every invariant the engine and the client rely on; throws Error(user) at the first one broken.
void verify_plan(const ServerPlan& p);
void verify_client_plan(const ClientPlan& p, const std::string& what);

}  // namespace velum::plan
