// What the public plans hold. They never change once they are made, so that copies share them.
#pragma once

#include <memory>
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
  explicit State(std::shared_ptr<const plan::ServerPlan> p)
      : owner(std::move(p)), plan(*owner), client(plan.client) {}
  // Perhaps with all that the planner has to say of it. Gigabytes for a large network: held once.
  std::shared_ptr<const plan::ServerPlan> owner;
  const plan::ServerPlan& plan;
  ClientPlan::State client;
};

struct EvaluationKeys::State {
  ckks::EvaluationKeys keys;
  std::string name;  // of the file, for errors
};

namespace session {

ClientPlan public_plan(plan::ClientPlan plan);
ServerPlan public_plan(plan::ServerPlan plan);
ServerPlan public_plan(std::shared_ptr<const plan::ServerPlan> plan);
BatchInfo batch_info(const engine::BatchHeader& header, const plan::ClientPlan& plan);

}  // namespace session

}  // namespace velum
