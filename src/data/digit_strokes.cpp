#include "data/digit_strokes.h"

#include <array>

namespace velum::data {

namespace {

constexpr bool kCorner = true;

// 0: one closed curve, round or begun with a hook.
constexpr Knot k0a[] = {{.52, .02}, {.28, .12}, {.20, .45}, {.26, .82}, {.50, .98},
                        {.74, .84}, {.80, .50}, {.72, .15}, {.50, .03}};
constexpr Knot k0b[] = {{.64, .10}, {.42, .03}, {.25, .25}, {.21, .60}, {.33, .92},
                        {.58, .96}, {.77, .70}, {.78, .33}, {.62, .07}, {.46, .12}};
constexpr Knot k0c[] = {{.40, .05}, {.22, .35}, {.24, .75}, {.46, .97},
                        {.70, .85}, {.78, .45}, {.64, .08}, {.36, .08}};
constexpr Stroke kStrokes0a[] = {k0a}, kStrokes0b[] = {k0b}, kStrokes0c[] = {k0c};
constexpr Style kStyles0[] = {kStrokes0a, kStrokes0b, kStrokes0c};

// 1: a bar, with a flag, with a flag and a foot.
constexpr Knot k1a[] = {{.50, .02}, {.50, .50}, {.50, .98}};
constexpr Knot k1b[] = {{.32, .22}, {.52, .03, kCorner}, {.52, .50}, {.51, .98}};
constexpr Knot k1c[] = {{.30, .98}, {.52, .97}, {.74, .98}};
constexpr Stroke kStrokes1a[] = {k1a}, kStrokes1b[] = {k1b}, kStrokes1c[] = {k1b, k1c};
constexpr Style kStyles1[] = {kStrokes1a, kStrokes1a, kStrokes1b, kStrokes1c};

// 2: with a corner at the foot, with a loop there, with a long neck.
constexpr Knot k2a[] = {{.24, .24}, {.36, .06},          {.60, .04}, {.76, .20}, {.70, .42},
                        {.46, .70}, {.22, .96, kCorner}, {.50, .94}, {.80, .96}};
constexpr Knot k2b[] = {{.25, .20}, {.45, .03}, {.70, .12}, {.72, .38}, {.52, .70},
                        {.30, .94}, {.20, .86}, {.34, .77}, {.55, .92}, {.82, .93}};
constexpr Knot k2c[] = {{.22, .14},          {.48, .02}, {.74, .16}, {.68, .44}, {.44, .74},
                        {.24, .95, kCorner}, {.46, .90}, {.64, .97}, {.80, .88}};
constexpr Stroke kStrokes2a[] = {k2a}, kStrokes2b[] = {k2b}, kStrokes2c[] = {k2c};
constexpr Style kStyles2[] = {kStrokes2a, kStrokes2b, kStrokes2c};

// 3: two bows, a flat top, a loop in the middle.
constexpr Knot k3a[] = {{.24, .14}, {.48, .02}, {.72, .16}, {.66, .38}, {.44, .47, kCorner},
                        {.68, .54}, {.78, .75}, {.60, .96}, {.36, .96}, {.20, .82}};
constexpr Knot k3b[] = {{.24, .05}, {.50, .05}, {.74, .05, kCorner}, {.46, .42, kCorner}, {.70, .50},
                        {.78, .72}, {.60, .95}, {.34, .95},          {.20, .82}};
constexpr Knot k3c[] = {{.26, .12}, {.50, .03}, {.70, .18}, {.60, .40}, {.42, .50}, {.38, .43},
                        {.50, .44}, {.74, .58}, {.74, .84}, {.50, .98}, {.24, .88}};
constexpr Stroke kStrokes3a[] = {k3a}, kStrokes3b[] = {k3b}, kStrokes3c[] = {k3c};
constexpr Style kStyles3[] = {kStrokes3a, kStrokes3a, kStrokes3b, kStrokes3c};

// 4: open, closed, and open with a round cup.
constexpr Knot k4a[] = {{.32, .05}, {.26, .30}, {.21, .54, kCorner}, {.50, .56}, {.82, .52}};
constexpr Knot k4b[] = {{.70, .06}, {.68, .50}, {.64, .98}};
constexpr Knot k4c[] = {{.66, .98},          {.66, .50}, {.66, .03, kCorner}, {.42, .36},
                        {.20, .66, kCorner}, {.52, .66}, {.86, .65}};
constexpr Knot k4d[] = {{.27, .06}, {.22, .36}, {.34, .56}, {.56, .50}, {.72, .30}};
constexpr Knot k4e[] = {{.76, .03}, {.71, .50}, {.66, .98}};
constexpr Stroke kStrokes4a[] = {k4a, k4b}, kStrokes4b[] = {k4c}, kStrokes4c[] = {k4d, k4e};
constexpr Style kStyles4[] = {kStrokes4a, kStrokes4b, kStrokes4c};

// 5: in one stroke, with its bar drawn last, and rounded.
constexpr Knot k5a[] = {{.74, .05}, {.54, .05}, {.34, .06, kCorner}, {.28, .44, kCorner}, {.52, .38},
                        {.76, .54}, {.74, .82}, {.50, .97},          {.22, .88}};
constexpr Knot k5b[] = {{.36, .07}, {.33, .26}, {.29, .42, kCorner}, {.54, .40},
                        {.76, .58}, {.70, .86}, {.46, .98},          {.20, .92}};
constexpr Knot k5c[] = {{.36, .07}, {.58, .06}, {.80, .03}};
constexpr Knot k5d[] = {{.78, .04}, {.50, .06}, {.32, .20}, {.36, .40},
                        {.62, .48}, {.74, .70}, {.56, .94}, {.22, .92}};
constexpr Stroke kStrokes5a[] = {k5a}, kStrokes5b[] = {k5b, k5c}, kStrokes5c[] = {k5d};
constexpr Style kStyles5[] = {kStrokes5a, kStrokes5b, kStrokes5b, kStrokes5c};

// 6: large bowl, small bowl, hooked top.
constexpr Knot k6a[] = {{.66, .03}, {.42, .20}, {.26, .50}, {.24, .80}, {.44, .98},
                        {.70, .86}, {.74, .64}, {.54, .52}, {.29, .66}};
constexpr Knot k6b[] = {{.54, .02}, {.34, .30}, {.25, .68}, {.38, .95}, {.62, .95},
                        {.75, .76}, {.60, .58}, {.38, .64}, {.26, .80}};
constexpr Knot k6c[] = {{.74, .12}, {.56, .04}, {.34, .22}, {.24, .58}, {.34, .92},
                        {.60, .97}, {.76, .76}, {.58, .56}, {.28, .70}};
constexpr Stroke kStrokes6a[] = {k6a}, kStrokes6b[] = {k6b}, kStrokes6c[] = {k6c};
constexpr Style kStyles6[] = {kStrokes6a, kStrokes6b, kStrokes6c};

// 7: plain, crossed, with a hook at the left.
constexpr Knot k7a[] = {{.20, .06}, {.50, .06}, {.78, .05, kCorner}, {.60, .45}, {.44, .98}};
constexpr Knot k7b[] = {{.34, .52}, {.54, .49}, {.74, .47}};
constexpr Knot k7c[] = {{.22, .20}, {.24, .07, kCorner}, {.50, .08}, {.78, .06, kCorner},
                        {.60, .38}, {.50, .70},          {.47, .98}};
constexpr Stroke kStrokes7a[] = {k7a}, kStrokes7b[] = {k7a, k7b}, kStrokes7c[] = {k7c};
constexpr Style kStyles7[] = {kStrokes7a, kStrokes7a, kStrokes7b, kStrokes7c};

// 8: in one stroke from the right, from the middle, and as two rings.
constexpr Knot k8a[] = {{.70, .15}, {.48, .03}, {.28, .18}, {.40, .42}, {.64, .58}, {.74, .80},
                        {.50, .98}, {.26, .82}, {.36, .58}, {.62, .40}, {.72, .18}, {.60, .05}};
constexpr Knot k8b[] = {{.50, .48}, {.30, .32}, {.34, .09}, {.54, .02}, {.71, .14}, {.66, .36}, {.48, .49},
                        {.28, .68}, {.30, .92}, {.54, .98}, {.74, .84}, {.70, .62}, {.50, .49}};
constexpr Knot k8c[] = {{.50, .47}, {.31, .36}, {.32, .13}, {.50, .03}, {.69, .13}, {.70, .36}, {.50, .47}};
constexpr Knot k8d[] = {{.50, .47}, {.28, .60}, {.26, .84}, {.50, .98}, {.74, .84}, {.73, .60}, {.50, .47}};
constexpr Stroke kStrokes8a[] = {k8a}, kStrokes8b[] = {k8b}, kStrokes8c[] = {k8c, k8d};
constexpr Style kStyles8[] = {kStrokes8a, kStrokes8b, kStrokes8c};

// 9: with a straight leg, with a curled one, with the leg of the ring's own curve.
constexpr Knot k9a[] = {{.72, .18}, {.52, .03},          {.29, .14}, {.27, .40}, {.48, .52},
                        {.70, .36}, {.74, .10, kCorner}, {.72, .50}, {.66, .98}};
constexpr Knot k9b[] = {{.72, .24}, {.56, .04},          {.32, .10}, {.25, .34}, {.44, .50},
                        {.68, .36}, {.74, .14, kCorner}, {.75, .60}, {.60, .92}, {.32, .94}};
constexpr Knot k9c[] = {{.70, .30}, {.46, .46}, {.26, .30}, {.40, .06},
                        {.64, .06}, {.74, .30}, {.64, .64}, {.46, .98}};
constexpr Stroke kStrokes9a[] = {k9a}, kStrokes9b[] = {k9b}, kStrokes9c[] = {k9c};
constexpr Style kStyles9[] = {kStrokes9a, kStrokes9b, kStrokes9c};

}  // namespace

std::span<const Style> styles_of(int digit) {
  static constexpr std::array<std::span<const Style>, 10> kStyles = {
      kStyles0, kStyles1, kStyles2, kStyles3, kStyles4, kStyles5, kStyles6, kStyles7, kStyles8, kStyles9};
  return kStyles[static_cast<std::size_t>(digit)];
}

}  // namespace velum::data
