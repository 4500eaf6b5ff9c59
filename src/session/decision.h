// What a network takes and what its outputs say of a class: the largest of several, or a single one cut at a
// threshold.
#pragma once

#include "plan/plan.h"
#include "velum/detail/client_plan.h"

namespace velum::session {

// (What is done with a form: velum/detail/client_plan.h.)

// As a plan's file has it, and back: the numbers of the kinds are the same.
DataForm public_form(const plan::DataForm& form);
plan::DataForm private_form(const DataForm& form);

}  // namespace velum::session
