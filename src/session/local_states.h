// What the public network and its plan hold.
#pragma once

#include <memory>

#include "model/graph.h"
#include "plan/passes.h"
#include "velum/model.h"

namespace velum {

struct Model::State {
  model::Graph graph;
  std::string name;    // of the file, for errors
  double margin = -1;  // by which the ranges were widened; negative: unknown
};

struct Plan::State {
  const plan::PlanResult& result() const { return *made; }
  const plan::ServerPlan& plan() const { return made->plan; }

  std::shared_ptr<const plan::PlanResult> made;
  ServerPlan server;         // the same plan, as it is passed on: it holds on to the above
  std::uint64_t images = 0;  // of a job, as was asked; 0: a full batch
  plan::MachineRates rates;  // that it was predicted with
};

}  // namespace velum
