// The table of operators is the documentation, and no operator in it is unknown to the importer.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "model/onnx/operator_table.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

TEST(OperatorTable, IsTheDocumentation) {
  std::ifstream in(VELUM_SOURCE_DIR "/docs/operators.md");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), operators_markdown())
      << "write the page anew: VELUM_WRITE_OPERATORS=1 velum_model_tests --gtest_filter=OperatorTable.*";
  if (std::getenv("VELUM_WRITE_OPERATORS"))
    std::ofstream(VELUM_SOURCE_DIR "/docs/operators.md") << operators_markdown();
}

TEST(OperatorTable, HasEveryOperatorOnceAndInOrderOfItsDefinitions) {
  std::string last;
  for (const auto& e : operator_table()) {
    EXPECT_TRUE(std::is_sorted(e.definitions.begin(), e.definitions.end())) << e.op;
    EXPECT_FALSE(e.definitions.empty()) << e.op;
    EXPECT_NE(e.op, last);
    last = e.op;
    EXPECT_LE(e.definitions.back(), newest_opset) << e.op;
  }
}

// What the table promises reaches a converter: a node of that kind is never refused as unknown.
TEST(OperatorTable, HasAConverterForEveryOperator) {
  for (const auto& e : operator_table()) {
    testing::OnnxFile f({2, 4, 4}, 25);
    f.node(std::string(e.op).c_str(), {"x"}, "y");
    try {
      f.load();
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(message.find("does not support"), std::string::npos) << message;
      const bool constants_only = message.find("on constants only") != std::string::npos;
      EXPECT_TRUE(e.use == Use::constants || !constants_only) << message;
    }
  }
}

TEST(OperatorTable, TellsWhichDefinitionIsTooNewOrTooOld) {
  EXPECT_NO_THROW(check_operator("Add", 28));
  EXPECT_NO_THROW(check_operator("Add", 6));
  EXPECT_THROW(check_operator("Cast", 28), Error);  // changed in opset 28
  EXPECT_THROW(check_operator("Gelu", 19), Error);  // since opset 20
  EXPECT_THROW(check_operator("NonMaxSuppression", 13), Error);
}

}  // namespace
}  // namespace velum::model
