#include "data/digits.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/parallel.h"
#include "data/digit_strokes.h"

namespace velum::data {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014): a counter and a mixing function, so any (seed, split, index) starts a
// stream.
class Random {
 public:
  explicit Random(std::uint64_t state) : state_(state) {}
  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15u); }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  double between(double low, double high) { return low + (high - low) * uniform(); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(uniform() * static_cast<double>(n)); }
  // Nearly normal, mean 0 and variance 1: four uniforms (Irwin-Hall), so no logarithm that differs by
  // library.
  double normal() {
    double sum = -2.0;
    for (int i = 0; i < 4; ++i) sum += uniform();
    return sum * 1.7320508075688772;
  }
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

struct Point {
  double x, y;
};

// A writer's hand: how the plan of a digit becomes ink on this one image.
struct Hand {
  std::array<double, 4> matrix;  // box to pixels: rotation, slant and size
  std::array<double, 6> warp;    // second-order bend of the box
  Point centre;                  // in pixels
  double radius, taper;          // of the pen, in pixels; relative change from a stroke's begin to its end
  double softness;               // width of the ink's edge, in pixels
  double ink, noise;             // of full black
};

Hand draw_hand(Random& random) {
  Hand hand;
  // t = tan(angle / 2) gives sine and cosine without the mathematics library; one sigma is 7 degrees.
  const double t = 0.065 * random.normal();
  const double cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
  const double slant = 0.04 + 0.20 * random.normal();
  const double height = random.between(16.5, 21.5);
  const double width = height * random.between(0.75, 1.25);
  // rotation * slant * size, where slant moves the top to the right (y points down).
  hand.matrix = {cosine * width, (-cosine * slant - sine) * height, sine * width,
                 (-sine * slant + cosine) * height};
  for (auto& w : hand.warp) w = 0.13 * random.normal();
  hand.centre = {13.5 + 1.1 * random.normal(), 13.5 + 1.1 * random.normal()};
  hand.radius = random.between(0.65, 1.75);
  hand.taper = 0.2 * random.normal();
  hand.softness = random.between(0.8, 1.6);
  hand.ink = random.between(0.75, 1.0);
  hand.noise = random.between(0.0, 0.06);
  return hand;
}

Point place(const Hand& hand, Point p) {
  const double u = p.x - 0.5, v = p.y - 0.5;
  const auto& w = hand.warp;
  const double x = u + w[0] * u * v + w[1] * v * v + w[2] * u * u;
  const double y = v + w[3] * u * v + w[4] * v * v + w[5] * u * u;
  return {hand.centre.x + hand.matrix[0] * x + hand.matrix[1] * y,
          hand.centre.y + hand.matrix[2] * x + hand.matrix[3] * y};
}

// Catmull-Rom: through b (t = 0) and c (t = 1), with the directions of a->c and b->d there.
Point spline(Point a, Point b, Point c, Point d, double t) {
  const auto f = [t](double p, double q, double r, double s) {
    return 0.5 * (2 * q + t * ((r - p) + t * ((2 * p - 5 * q + 4 * r - s) + t * (3 * q - p - 3 * r + s))));
  };
  return {f(a.x, b.x, c.x, d.x), f(a.y, b.y, c.y, d.y)};
}

using Canvas = std::array<double, kDigitPixels>;

// One straight piece of a stroke: pixels get the ink of the nearest piece.
void ink_segment(Canvas& canvas, Point a, Point b, double radius, double softness) {
  const double reach = radius + softness;
  const auto clip = [](double v) { return static_cast<int>(std::clamp(v, 0.0, double{kDigitSide})); };
  const int x0 = clip(std::floor(std::min(a.x, b.x) - reach)),
            x1 = clip(std::ceil(std::max(a.x, b.x) + reach) + 1);
  const int y0 = clip(std::floor(std::min(a.y, b.y) - reach)),
            y1 = clip(std::ceil(std::max(a.y, b.y) + reach) + 1);
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) {
      const double px = x - a.x, py = y - a.y;
      const double t = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0.0;
      const double ex = px - t * dx, ey = py - t * dy;
      const double distance = std::sqrt(ex * ex + ey * ey);
      const double ink = std::clamp((radius - distance) / softness + 0.5, 0.0, 1.0);
      auto& pixel = canvas[static_cast<std::size_t>(y) * kDigitSide + static_cast<std::size_t>(x)];
      pixel = std::max(pixel, ink);
    }
}

void ink_stroke(Canvas& canvas, Stroke stroke, const Hand& hand, Random& random) {
  constexpr double kJitter = 0.032;  // of the box
  constexpr int kPieces = 6;         // straight pieces between two knots
  constexpr std::size_t kMaxKnots = 16;
  std::array<Point, kMaxKnots> path;
  const std::size_t n = std::min(stroke.size(), kMaxKnots);
  for (std::size_t i = 0; i < n; ++i)
    path[i] = place(hand, {stroke[i].x + kJitter * random.normal(), stroke[i].y + kJitter * random.normal()});
  for (std::size_t i = 0; i + 1 < n; ++i) {
    // At an end or a corner the neighbour beyond does not bend the path.
    const Point before = (i == 0 || stroke[i].corner) ? path[i] : path[i - 1];
    const Point after = (i + 2 >= n || stroke[i + 1].corner) ? path[i + 1] : path[i + 2];
    Point last = path[i];
    for (int piece = 1; piece <= kPieces; ++piece) {
      const double t = piece / double{kPieces};
      const Point here = spline(before, path[i], path[i + 1], after, t);
      const double along = (static_cast<double>(i) + t) / static_cast<double>(n - 1);
      ink_segment(canvas, last, here, hand.radius * (1 + hand.taper * (along - 0.5)), hand.softness);
      last = here;
    }
  }
}

}  // namespace

std::size_t digits_in(Split split) {
  switch (split) {
    case Split::train:
      return 60000;
    case Split::validation:
      return 5000;
    case Split::test:
      break;
  }
  return 10000;
}

std::int32_t draw_digit(std::uint64_t seed, Split split, std::uint64_t index,
                        std::span<std::uint8_t, kDigitPixels> pixels) {
  const auto stream = (static_cast<std::uint64_t>(split) + 1) << 56 | index;
  Random random(Random::mix(Random::mix(seed) + stream * 0xd1342543de82ef95u));
  const auto digit = static_cast<int>(random.below(10));
  const auto styles = styles_of(digit);
  const Style style = styles[random.below(styles.size())];
  const Hand hand = draw_hand(random);
  Canvas canvas{};
  for (const Stroke stroke : style) ink_stroke(canvas, stroke, hand, random);
  for (std::size_t i = 0; i < kDigitPixels; ++i) {
    const double grey = std::clamp(hand.ink * canvas[i] + hand.noise * random.normal(), 0.0, 1.0);
    pixels[i] = static_cast<std::uint8_t>(std::floor(grey * 255 + 0.5));
  }
  return digit;
}

Dataset load_digits(const LoadOptions& options) {
  Dataset set;
  set.name = "digits";
  set.channels = 1;
  set.height = set.width = kDigitSide;
  for (int c = 0; c < 10; ++c) set.classes.push_back(std::to_string(c));
  std::size_t count = digits_in(options.split);
  if (options.limit) count = std::min(count, options.limit);
  set.images.resize(count * kDigitPixels);
  set.labels.resize(count);
  constexpr std::size_t kBlock = 256;
  parallel_for((count + kBlock - 1) / kBlock, [&](std::size_t block, int) {
    std::array<std::uint8_t, kDigitPixels> pixels;
    for (std::size_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) {
      set.labels[i] = draw_digit(options.seed, options.split, i, pixels);
      for (std::size_t p = 0; p < kDigitPixels; ++p)
        set.images[i * kDigitPixels + p] = static_cast<float>(pixels[p]) / 255.0f;
    }
  });
  return set;
}

}  // namespace velum::data
