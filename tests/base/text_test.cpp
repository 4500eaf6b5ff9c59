#include "base/text.h"

#include <gtest/gtest.h>

namespace velum {
namespace {

TEST(Printable, NamesInAnyScriptStay) {
  for (const std::string name : {"plain name-1", "größe", "数字", "🙂", ""})
    EXPECT_EQ(printable(name), name);
}

TEST(Printable, NothingReachesTheTerminalButText) {
  EXPECT_EQ(printable("a\nsecurity 256 bits"), "a\\nsecurity 256 bits");
  EXPECT_EQ(printable("\x1b[31mred\t\r"), "\\x1b[31mred\\t\\x0d");
  EXPECT_EQ(printable(std::string_view("a\0b\x7f", 4)), "a\\x00b\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");  // CSI as one character
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\xe2\\x80\\xaeb");  // right-to-left override
  EXPECT_EQ(printable("a\xe2\x80\xa8"
                      "b"),
            "a\\xe2\\x80\\xa8b");  // line separator
}

TEST(Printable, WhatIsNoUtf8IsShownByItsBytes) {
  EXPECT_EQ(printable("\xff\xc0\x80"), "\\xff\\xc0\\x80");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  EXPECT_EQ(printable("ab\xe2\x82"), "ab\\xe2\\x82");                // cut
}

}  // namespace
}  // namespace velum
