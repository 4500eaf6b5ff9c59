// Drawings as SVG text: a few shapes, classed for the page's style sheet, with title and description for
// those who do not see them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace velum::report {

// For element content and attribute values. Bytes that are not UTF-8, and control characters, become U+FFFD.
std::string escape(std::string_view text);
// The first `characters` of the text, with an ellipsis where something is left out.
std::string shortened(std::string_view text, std::size_t characters);

struct Point {
  double x = 0, y = 0;
};
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};
enum class Anchor { start, middle, end };

struct Svg {
  double width = 0, height = 0;
  std::string title, description;
  std::string body;
};

// `style`: classes of the page's style sheet. A `hint` is shown on hovering.
void line(Svg& svg, Point from, Point to, std::string_view style);
void path(Svg& svg, const std::vector<Point>& points, std::string_view style, std::string_view hint = {});
void box(Svg& svg, const Box& box, std::string_view style, double opacity = 1, std::string_view hint = {});
void text(Svg& svg, Point at, std::string_view words, Anchor anchor, std::string_view style = "label");
void turned_text(Svg& svg, Point at, std::string_view words, double degrees, Anchor anchor);
// What is drawn by `body` between the two is cut off at the box. Not to be nested.
void begin_clip(Svg& svg, const Box& box);
void end_clip(Svg& svg);

// `id`: unique in the page.
std::string to_string(const Svg& svg, std::string_view id);

}  // namespace velum::report
