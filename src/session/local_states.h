// What the public network and its plan hold.
#pragma once

#include "model/graph.h"
#include "plan/passes.h"
#include "session/plan_states.h"
#include "velum/model.h"

namespace velum {

struct Model::State {
  model::Graph graph;
  std::string name;    // of the file, for errors
  double margin = -1;  // by which the ranges were widened; negative: unknown
};

struct Plan::State {
  const plan::ServerPlan& plan() const { return server.state().plan; }

  plan::PlanResult result;   // without the plan, which is gigabytes for a large network
  ServerPlan server;         // the plan, as it is passed on
  std::uint64_t images = 0;  // of a job, as was asked; 0: a full batch
  plan::MachineRates rates;  // that it was predicted with
};

}  // namespace velum
