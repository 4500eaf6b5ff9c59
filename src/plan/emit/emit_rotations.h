// The rotation steps of a plan: copies of a value's ciphertexts, each made once however many steps read it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "plan/meaning.h"
#include "plan/plan.h"

namespace velum::plan {

// Ciphertexts of a value and the shifts they are wanted by.
using RotationOrder = std::vector<std::pair<std::uint32_t, std::int32_t>>;

class RotationSteps {
 public:
  // Both must outlive it.
  RotationSteps(ServerPlan& plan, std::vector<Meaning>& meanings) : plan_(plan), meanings_(meanings) {}

  // Adds a step for what no earlier one made. Copies of one ciphertext stand together; rows are those of the
  // value.
  void add(std::uint32_t value, RotationOrder order, const std::string& layer);
  struct Copy {
    std::uint32_t value = 0, element = 0;
  };
  // Where the copy of an element is that was added.
  Copy copy_of(std::uint32_t value, std::uint32_t element, std::int32_t shift) const;
  // The source's elements as rotated copies; all of them were added, by one step.
  void replace(Source& source, std::int32_t shift) const;
  // One key a rotation, no taller than the tallest ciphertext that is rotated by it.
  std::vector<ckks::RotationKeyEntry> keys() const;

 private:
  ServerPlan& plan_;
  std::vector<Meaning>& meanings_;
  std::map<std::pair<std::uint32_t, std::pair<std::uint32_t, std::int32_t>>, Copy> copies_;
};

}  // namespace velum::plan
