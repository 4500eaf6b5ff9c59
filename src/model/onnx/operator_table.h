// Which ONNX operators Velum reads, and how: the table that the importer asks and docs/operators.md prints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace velum::model {

// The opsets that are read operator by operator, and the newest one whose definitions were compared with
// those.
inline constexpr std::int64_t first_opset = 6, last_opset = 25, newest_opset = 28;

enum class Use {
  encrypted,  // affine, or a polynomial: planned
  clear,      // executed in the clear, trained away
  constants,  // of constants only
};

struct OperatorEntry {
  std::string_view op;
  Use use;
  std::vector<int> definitions;  // the opsets that changed it, up to newest_opset
  std::string_view limits;       // attributes and forms that are not read; empty: none
};
std::span<const OperatorEntry> operator_table();
const OperatorEntry* find_operator(std::string_view op);

// What may help where an exporter wrote something that is not read.
enum class WrittenBy { other, pytorch_dynamo };
// For the end of a message; empty where nothing is known to help.
std::string_view other_exporter(WrittenBy by);

// Refuses an operator that is not in the table, or whose definition in force at the file's opset is newer or
// older than those read.
void check_operator(const std::string& op, std::int64_t opset, WrittenBy by = WrittenBy::other);

// docs/operators.md, whole.
std::string operators_markdown();

}  // namespace velum::model
