// What the public network and its plan hold.
#pragma once

#include "model/graph.h"
#include "plan/passes.h"
#include "velum/model.h"

namespace velum {

struct Model::State {
  model::Graph graph;
  std::string name;  // of the file, for errors
};

struct Plan::State {
  plan::PlanResult result;
  ServerPlan server;  // the same plan, as it is passed on
};

}  // namespace velum
