// A stage that adds partial sums, as steps: the sums of one giant step and slice of the inputs are a part,
// and parts are added one after the other, so that few of them are in memory at once. A part of many sums is
// a step of its own; parts of few, which read the same inputs, are made several in a step, so that inputs are
// read once for all of them.
//
// Parts at the shifts g_1 > g_2 > ... > g_m > 0 are added by Horner's rule: what is summed so far is rotated
// by g_1 - g_2, the next part is added, and so on, down to 0. Giant steps lie evenly, so that one rotation
// key serves most of them.
#pragma once

#include <functional>

#include "plan/emit/emit_rotations.h"

namespace velum::plan {

// An input of a step: element of its source.
struct StepInput {
  std::size_t source = 0;
  std::uint32_t element = 0;
};
// Those that the groups [begin, end) read.
std::vector<StepInput> inputs_read(const Step& whole, std::size_t begin, std::size_t end);

// Where a part finds an input of the whole step: value and element.
using Resolve = std::function<RotationSteps::Copy(const StepInput&)>;

// The groups [begin, end) of a step with P blocks, and the inputs that they read; elements of one source may
// be found in several values. Output, polynomials, bias and finish are not set.
Step part_of(const Step& whole, std::size_t begin, std::size_t end, std::size_t blocks,
             const Resolve& resolve);

// Sums that are to be added: element first + i of the value is a part of element elements[i], ascending, of
// the stage's vector.
struct Addend {
  std::uint32_t value = kAbsent, first = 0;
  std::vector<std::uint32_t> elements;
};

// The elements that some addend has a part of.
std::vector<std::uint32_t> united_elements(const std::vector<Addend>& addends);

// Output i is the sum of all parts of elements[i]: weights one. Sources and groups alone are set.
Step sum_of(const std::vector<Addend>& addends, const std::vector<std::uint32_t>& elements);

}  // namespace velum::plan
