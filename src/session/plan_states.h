// What the public plans hold. They never change once they are made, so that copies share them.
#pragma once

#include <string>

#include "ckks/core/parameters.h"
#include "engine/batch_file.h"
#include "plan/plan.h"
#include "velum/server.h"

namespace velum {

struct ClientPlan::State {
  explicit State(plan::ClientPlan p) : plan(std::move(p)), params(plan.params) {}
  plan::ClientPlan plan;
  ckks::Parameters params;
};

struct ServerPlan::State {
  explicit State(plan::ServerPlan p) : plan(std::move(p)), client(plan.client) {}
  plan::ServerPlan plan;
  ClientPlan::State client;
};

struct EvaluationKeys::State {
  ckks::EvaluationKeys keys;
  std::string name;  // of the file, for errors
};

namespace session {

ClientPlan public_plan(plan::ClientPlan plan);
ServerPlan public_plan(plan::ServerPlan plan);
BatchInfo batch_info(const engine::BatchHeader& header, const plan::ClientPlan& plan);

}  // namespace session

}  // namespace velum
