// What a step costs: counts, and the seconds that follow from a machine's rates.
#pragma once

#include <span>
#include <vector>

#include "plan/passes.h"
#include "plan/schedule/rates.h"

namespace velum::plan {

// The size of a step as costs see it.
struct StepWork {
  std::uint64_t lanes = 0;         // weight places: rows times members of pairs over all groups
  std::uint64_t panel_lanes = 0;   // the same with blocks of rows for rows: what is read of panels
  std::uint64_t panel_inputs = 0;  // inputs split into digits, again in each task that reads them
  std::uint64_t squares = 0;       // of those, squares
  std::uint64_t slices = 0;  // that a polynomial of the panel inputs is read in; 0: as wide as they come
  std::uint64_t groups = 0;  // of rows
  std::uint64_t blocks = 0;  // of at most kernels::kMaxRows rows
  std::uint64_t calls = 0;   // of groups times slices of a polynomial; 0: as wide as they come
  std::uint64_t outputs = 0;
  std::uint64_t runs = 0;  // of outputs: sums that are put together on their way
  std::uint64_t tasks = 1;
  std::uint32_t polys = 2, limbs = 0;
  Finish finish = Finish::none;
  bool adds_squares = false;            // see parts.h: lanes are then squares added
  std::uint64_t periodic_products = 0;  // of rows and inputs whose weights differ by block
  std::uint32_t period = 1;             // P
  // Inputs by block that units of rows read (run_products.h), and those of them that are squared first: again
  // in each unit that reads them.
  std::uint64_t run_inputs = 0, run_squares = 0;
  bool kept_weights = false;  // the residues of weights by block are there before the step begins
  StepKind kind = StepKind::affine;
  bool streamed = false;        // its outputs are not written
  bool reads_streamed = false;  // its inputs are in the cache
};

struct RingSize {
  std::size_t n = 0;
  std::size_t special = 0;
  std::vector<int> digits;  // by limb
};

RingSize ring_size(const ckks::ParametersLiteral& params);

// A step as these tasks run it: an input that several of them read is read and split in each.
StepWork scheduled_work(const Step& step, std::uint64_t outputs, std::span<const Task> tasks, std::size_t n);

// Every step of a plan as its schedule runs it.
std::vector<StepWork> scheduled_works(const ServerPlan& plan);

Work work_of(const StepWork& work, const RingSize& ring);
// Elements of the input, read and expanded.
Work input_work(std::uint64_t elements, std::uint32_t limbs, std::size_t n);
StepCost cost_of(const StepWork& work, const RingSize& ring, const Rates& rates);
StepCost operator+(const StepCost& a, const StepCost& b);

}  // namespace velum::plan
