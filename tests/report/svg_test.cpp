#include "report/svg.h"

#include <gtest/gtest.h>

#include "report/axes.h"

namespace velum::report {
namespace {

TEST(Svg, TextIsEscaped) {
  EXPECT_EQ(escape("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(escape("\u00fcber \u2026 \U0001F600"), "\u00fcber \u2026 \U0001F600");
  const std::string replaced = "\uFFFD";
  EXPECT_EQ(escape("a\x01z\x7f"), "a" + replaced + "z" + replaced);
  // A lone continuation, a cut-off sequence, an overlong slash, a surrogate.
  EXPECT_EQ(escape("\x80"), replaced);
  EXPECT_EQ(escape("\xC3"), replaced);
  EXPECT_EQ(escape("\xC0\xAF"), replaced + replaced);
  EXPECT_EQ(escape("\xED\xA0\x80"), replaced + replaced + replaced);
}

TEST(Svg, LongNamesAreShortenedBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "ab\u2026");
  EXPECT_EQ(shortened("\u00e4\u00f6\u00fc", 3), "\u00e4\u00f6\u00fc");
  EXPECT_EQ(shortened("\u00e4\u00f6\u00fc\u00df", 3), "\u00e4\u00f6\u2026");
  EXPECT_EQ(shortened("", 3), "");
}

TEST(Svg, EveryDrawingSaysWhatItShows) {
  Svg svg{100, 50, "Title <1>", "What & why", {}};
  line(svg, {0, 0}, {10, 10}, "grid");
  const auto text = to_string(svg, "figure-7");
  EXPECT_NE(text.find("<title id=\"figure-7-title\">Title &lt;1&gt;</title>"), std::string::npos) << text;
  EXPECT_NE(text.find("<desc id=\"figure-7-description\">What &amp; why</desc>"), std::string::npos);
  EXPECT_NE(text.find("aria-labelledby=\"figure-7-title figure-7-description\""), std::string::npos);
  EXPECT_NE(text.find("viewBox=\"0 0 100 50\""), std::string::npos);
}

TEST(Axes, TicksAreRoundNumbersInside) {
  EXPECT_EQ(ticks({0, 1}, 5).size(), 6u);
  EXPECT_EQ(ticks({-3.2, 4.1}, 4), (std::vector<double>{-2, 0, 2, 4}));
  EXPECT_EQ(tick_label(0.25, 0.05), "0.25");
  EXPECT_EQ(tick_label(40, 20), "40");
  EXPECT_EQ(tick_label(0.3, 0.1), "0.3");
  for (const double v : ticks({0.987, 0.9935}, 6)) EXPECT_TRUE(v >= 0.987 - 1e-12 && v <= 0.9935 + 1e-12);
}

TEST(Axes, AnIntervalWithoutWidthGetsOne) {
  const auto flat = padded({3, 3}, 0.5);
  EXPECT_LT(flat.low, 3);
  EXPECT_GT(flat.high, 3);
  EXPECT_FALSE(ticks(flat, 5).empty());
}

TEST(Axes, WholeTicksAreWhole) {
  Svg few{100, 100, "", "", {}}, many = few;
  draw_x_axis(few, {{0, 0, 90, 50}, {1, 3}, {0, 1}}, "epoch", 8, true);
  EXPECT_EQ(few.body.find("1.5"), std::string::npos) << few.body;
  EXPECT_NE(few.body.find(">2</text>"), std::string::npos);
  draw_x_axis(many, {{0, 0, 90, 50}, {1, 3}, {0, 1}}, "value", 8);
  EXPECT_NE(many.body.find(">1.5</text>"), std::string::npos);
}

TEST(Axes, ValuesLieWhereTheyBelong) {
  const Plot plot{{10, 20, 100, 50}, {0, 2}, {-1, 1}};
  EXPECT_DOUBLE_EQ(plot.at_x(1), 60);
  EXPECT_DOUBLE_EQ(plot.at_y(-1), 70);
  EXPECT_DOUBLE_EQ(plot.at_y(1), 20);
}

}  // namespace
}  // namespace velum::report
