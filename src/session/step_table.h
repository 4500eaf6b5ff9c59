// The per-layer report of an encrypted evaluation, as a table and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/engine.h"
#include "velum/detail/common.h"

namespace velum::session {

using Json = nlohmann::ordered_json;

// Adds the times and counts of another batch under the same plan.
void accumulate(engine::RunReport& total, const engine::RunReport& batch);
std::string layer_table(const engine::RunReport& report);
Json layers_json(const engine::RunReport& report);

// To the public form of a report, and back.
std::vector<StepReport> public_steps(const engine::RunReport& report);
engine::RunReport private_steps(const EvaluationReport& report);

}  // namespace velum::session
