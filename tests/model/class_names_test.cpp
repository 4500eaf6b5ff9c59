// The names of a network's classes, in its metadata.
#include "model/class_names.h"

#include <gtest/gtest.h>

namespace velum::model {
namespace {

TEST(ClassNames, AreReadAsTheyWereWritten) {
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"covid", "normal", "viral pneumonia"}, {"one"}, {"0", "1"}}) {
    Graph graph;
    graph.metadata[kClassNames] = class_names_text(names);
    EXPECT_EQ(class_names(graph), names);
  }
}

TEST(ClassNames, WhatCannotBeToldApartIsNotRecorded) {
  EXPECT_EQ(class_names_text({"a/b", "c"}), "");
  EXPECT_EQ(class_names_text({"a", ""}), "");
  EXPECT_EQ(class_names_text({}), "");
  Graph graph;
  EXPECT_TRUE(class_names(graph).empty());
  graph.metadata[kClassNames] = "";
  EXPECT_TRUE(class_names(graph).empty());
}

}  // namespace
}  // namespace velum::model
