#include "report/svg.h"

#include <fmt/format.h>

#include <iterator>

namespace velum::report {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The length of the well-formed UTF-8 sequence at the text's start, 0 where there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    // Neither overlong nor a surrogate.
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    return follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::string_view anchor_name(Anchor anchor) {
  return anchor == Anchor::start ? "start" : anchor == Anchor::middle ? "middle" : "end";
}

template <typename... Args>
void add(Svg& svg, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(svg.body), format, std::forward<Args>(args)...);
}

std::string hint_element(std::string_view hint) {
  return hint.empty() ? "" : fmt::format("<title>{}</title>", escape(hint));
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence_length(text);
    const char c = text[0];
    if (length == 0 || (length == 1 && static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') ||
        c == '\x7f')
      out += kReplacement;
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += text.substr(0, length);
    text.remove_prefix(length ? length : 1);
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  for (std::size_t n = 0; at < text.size(); ++n) {
    if (n + 1 == characters) {
      const auto length = std::max<std::size_t>(1, sequence_length(text.substr(at)));
      return at + length == text.size() ? std::string(text) : std::string(text.substr(0, at)) + "\u2026";
    }
    at += std::max<std::size_t>(1, sequence_length(text.substr(at)));
  }
  return std::string(text);
}

void line(Svg& svg, Point from, Point to, std::string_view style) {
  add(svg, "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>\n", from.x, from.y,
      to.x, to.y, style);
}

void path(Svg& svg, const std::vector<Point>& points, std::string_view style, std::string_view hint) {
  if (points.empty()) return;
  std::string d;
  auto at = std::back_inserter(d);
  for (std::size_t i = 0; i < points.size(); ++i)
    fmt::format_to(at, "{}{:.2f} {:.2f}", i == 0 ? "M" : "L", points[i].x, points[i].y);
  add(svg, "<path d=\"{}\" class=\"{}\">{}</path>\n", d, style, hint_element(hint));
}

void box(Svg& svg, const Box& b, std::string_view style, double opacity, std::string_view hint) {
  add(svg, "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" class=\"{}\"", b.x, b.y,
      b.width, b.height, style);
  if (opacity < 1) add(svg, " fill-opacity=\"{:.3f}\"", opacity);
  add(svg, ">{}</rect>\n", hint_element(hint));
}

void text(Svg& svg, Point at, std::string_view words, Anchor anchor, std::string_view style) {
  add(svg, "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", at.x, at.y,
      anchor_name(anchor), style, escape(words));
}

void turned_text(Svg& svg, Point at, std::string_view words, double degrees, Anchor anchor) {
  add(svg,
      "<text transform=\"translate({:.1f} {:.1f}) rotate({:g})\" text-anchor=\"{}\" "
      "class=\"label\">{}</text>\n",
      at.x, at.y, degrees, anchor_name(anchor), escape(words));
}

// A nested viewport clips at its edges and needs no name, which a clip path would.
void begin_clip(Svg& svg, const Box& b) {
  add(svg,
      "<svg x=\"{0:.1f}\" y=\"{1:.1f}\" width=\"{2:.1f}\" height=\"{3:.1f}\" "
      "viewBox=\"{0:.1f} {1:.1f} {2:.1f} {3:.1f}\">\n",
      b.x, b.y, b.width, b.height);
}

void end_clip(Svg& svg) {
  svg.body += "</svg>\n";
}

std::string to_string(const Svg& svg, std::string_view id) {
  return fmt::format(
      "<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\" "
      "class=\"chart\" "
      "id=\"{2}\" aria-labelledby=\"{2}-title {2}-description\">\n"
      "<title id=\"{2}-title\">{3}</title>\n<desc id=\"{2}-description\">{4}</desc>\n{5}</svg>\n",
      svg.width, svg.height, id, escape(svg.title), escape(svg.description), svg.body);
}

}  // namespace velum::report
