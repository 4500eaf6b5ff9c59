// The per-layer report of an encrypted evaluation, as a table and as JSON.
#pragma once

#include <string>

#include "cli/common.h"
#include "engine/engine.h"

namespace velum::cli {

// Adds the times and counts of another batch under the same plan.
void accumulate(engine::RunReport& total, const engine::RunReport& batch);
std::string layer_table(const engine::RunReport& report);
Json layers_json(const engine::RunReport& report);

}  // namespace velum::cli
