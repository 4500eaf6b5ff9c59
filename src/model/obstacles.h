// What stands between a network and its encrypted evaluation.
#pragma once

#include <string>
#include <vector>

#include "model/graph.h"

namespace velum::model {

struct Obstacle {
  std::string node;    // its name
  std::string what;    // the operator, in words
  std::string needs;   // what evaluating it on ciphertexts would take
  std::string recipe;  // of `velum train` that replaces it; empty: none does
  std::string remedy;  // what to do instead, where training does not replace it
};

// Every node that is not polynomial, in order.
std::vector<Obstacle> obstacles(const Graph& g);

// All of them in one sentence for people: the first by its needs, the others by kind. `file`, where known,
// makes the remedy a command that can be copied.
std::string obstacles_text(const std::vector<Obstacle>& all, const std::string& file);

}  // namespace velum::model
