// Recipes: named ways from a data set and a ReLU network to a polynomial network. A recipe is a set of
// defaults; every ingredient is an option of its own and can be changed or switched off.
#pragma once

#include <string>
#include <vector>

#include "train/options.h"

namespace velum::train {

struct Recipe {
  std::string name;
  std::string summary;  // one line
  std::string text;     // what it does, where it comes from, how to switch its ingredients off
  void (*apply)(TrainOptions&);
};

const std::vector<Recipe>& recipes();
// Throws Error(user) for an unknown name.
const Recipe& require_recipe(const std::string& name);
// The options of a run by this recipe, before anything else is said.
TrainOptions defaults_of(const std::string& recipe);

std::string describe_recipes();                        // for --help: a line a recipe
std::string describe_recipe(const std::string& name);  // its text, and the defaults it changes

}  // namespace velum::train
