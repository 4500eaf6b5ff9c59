// Quadratic activations as exporters write them: every algebraic form must become one Quadratic, with scalar,
// per-channel and per-element coefficients, on feature maps and on vectors.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "model/onnx_builder.h"

namespace velum::model {
namespace {

using namespace testing;

enum class Kind { scalar, channel, element };
enum class Place { feature_map, vector };

// Coefficients of one kind, and their values element by element.
struct Constants {
  Shape shape;
  Ints dims;
  std::size_t elements, values;

  Constants(Kind kind, Place place) {
    shape = place == Place::feature_map ? Shape{3, 2, 4} : Shape{6};
    elements = static_cast<std::size_t>(element_count(shape));
    if (kind == Kind::channel && place == Place::feature_map) dims = {3, 1, 1};
    if (kind == Kind::channel && place == Place::vector) dims = {1, 6};
    if (kind == Kind::element) dims = shape;
    values = 1;
    for (const auto d : dims) values *= static_cast<std::size_t>(d);
  }
  // Away from zero, so that coefficients can be divided by.
  Floats make(unsigned seed) const {
    Floats v = random_values(values, seed);
    for (auto& x : v) x = x < 0 ? x - 0.5F : x + 0.5F;
    return v;
  }
  double at(const Floats& v, std::size_t element) const {
    return static_cast<double>(v[element * values / elements]);
  }
};

// A form: adds nodes that read "x" and constants p, q, r (floats of the kind under test) and one, two
// (scalars), and returns the polynomial it means.
struct Coefficients3 {
  double a, b, c;
};
struct Form {
  const char* name;
  void (*write)(OnnxFile&);
  Coefficients3 (*meaning)(double p, double q, double r);
};

const Form forms[] = {
    {"expanded",
     [](OnnxFile& f) {
       f.node("Mul", {"x", "x"}, "s").node("Mul", {"p", "s"}, "t").node("Mul", {"x", "q"}, "u");
       f.node("Add", {"t", "u"}, "v").node("Add", {"v", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, q, r};
     }},
    {"expanded_left_to_right",  // ((p x) x + q x) + r
     [](OnnxFile& f) {
       f.node("Mul", {"p", "x"}, "s").node("Mul", {"s", "x"}, "t").node("Mul", {"q", "x"}, "u");
       f.node("Add", {"t", "u"}, "v").node("Add", {"v", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, q, r};
     }},
    {"constant_first",  // (r + q x) + p x^2
     [](OnnxFile& f) {
       f.node("Mul", {"q", "x"}, "u").node("Add", {"r", "u"}, "v").node("Pow", {"x", "two"}, "s");
       f.node("Mul", {"s", "p"}, "t").node("Add", {"v", "t"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, q, r};
     }},
    {"power",
     [](OnnxFile& f) {
       f.node("Pow", {"x", "two"}, "s").node("Mul", {"s", "p"}, "t").node("Mul", {"x", "q"}, "u");
       f.node("Sum", {"u", "t"}, "v").node("Add", {"v", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, q, r};
     }},
    {"horner",
     [](OnnxFile& f) {
       f.node("Mul", {"p", "x"}, "s").node("Add", {"s", "q"}, "t").node("Mul", {"t", "x"}, "u");
       f.node("Add", {"u", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, q, r};
     }},
    {"horner_subtracting",  // x (p x - q) - r
     [](OnnxFile& f) {
       f.node("Mul", {"x", "p"}, "s").node("Sub", {"s", "q"}, "t").node("Mul", {"x", "t"}, "u");
       f.node("Sub", {"u", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, -q, -r};
     }},
    {"factored",  // p (x + q)(x - r)
     [](OnnxFile& f) {
       f.node("Add", {"x", "q"}, "s").node("Sub", {"x", "r"}, "t").node("Mul", {"s", "t"}, "u");
       f.node("Mul", {"u", "p"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, p * (q - r), -p * q * r};
     }},
    {"factored_reversed",  // (q - x)(x + r) / p
     [](OnnxFile& f) {
       f.node("Sub", {"q", "x"}, "s").node("Add", {"r", "x"}, "t").node("Mul", {"t", "s"}, "u");
       f.node("Div", {"u", "p"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{-1 / p, (q - r) / p, q * r / p};
     }},
    {"squared_affine",  // (p x + q)^2 + r
     [](OnnxFile& f) {
       f.node("Mul", {"x", "p"}, "s").node("Add", {"s", "q"}, "t").node("Mul", {"t", "t"}, "u");
       f.node("Add", {"u", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p * p, 2 * p * q, q * q + r};
     }},
    {"squared_affine_power",  // p (x - q)^2 - r
     [](OnnxFile& f) {
       f.node("Sub", {"x", "q"}, "s").node("Pow", {"s", "two"}, "t").node("Mul", {"p", "t"}, "u");
       f.node("Sub", {"u", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, -2 * p * q, p * q * q - r};
     }},
    {"squared_affine_and_linear",  // (x + p)^2 + q x - r
     [](OnnxFile& f) {
       f.node("Add", {"x", "p"}, "s").node("Mul", {"s", "s"}, "t").node("Mul", {"q", "x"}, "u");
       f.node("Add", {"t", "u"}, "v").node("Sub", {"v", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{1, 2 * p + q, p * p - r};
     }},
    {"square_alone",
     [](OnnxFile& f) {
       f.node("Mul", {"x", "x"}, "y");
     },
     [](double, double, double) {
       return Coefficients3{1, 0, 0};
     }},
    {"skip_around",  // x + p x^2
     [](OnnxFile& f) {
       f.node("Mul", {"x", "x"}, "s").node("Mul", {"s", "p"}, "t").node("Add", {"x", "t"}, "y");
     },
     [](double p, double, double) {
       return Coefficients3{p, 1, 0};
     }},
    {"gate",  // x (x + p) q + x r
     [](OnnxFile& f) {
       f.node("Add", {"x", "p"}, "s").node("Mul", {"x", "s"}, "t").node("Mul", {"t", "q"}, "u");
       f.node("Mul", {"r", "x"}, "v").node("Add", {"u", "v"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{q, p * q + r, 0};
     }},
    {"negated",  // r - p x^2
     [](OnnxFile& f) {
       f.node("Pow", {"x", "two"}, "s").node("Mul", {"s", "p"}, "t").node("Sub", {"r", "t"}, "y");
     },
     [](double p, double, double r) {
       return Coefficients3{-p, 0, r};
     }},
    {"negated_operator",  // -(p x^2) - (-x) q
     [](OnnxFile& f) {
       f.node("Mul", {"x", "x"}, "s")
           .node("Mul", {"s", "p"}, "t")
           .node("Neg", {"t"}, "u")
           .node("Neg", {"x"}, "v");
       f.node("Mul", {"v", "q"}, "w").node("Sub", {"u", "w"}, "y");
     },
     [](double p, double q, double) {
       return Coefficients3{-p, q, 0};
     }},
    {"difference_of_squares",  // (x + p)^2 - (x - q)^2 + x^2
     [](OnnxFile& f) {
       f.node("Add", {"x", "p"}, "s").node("Mul", {"s", "s"}, "t").node("Sub", {"x", "q"}, "u");
       f.node("Pow", {"u", "two"}, "v").node("Sub", {"t", "v"}, "w").node("Mul", {"x", "x"}, "z");
       f.node("Add", {"w", "z"}, "y");
     },
     [](double p, double q, double) {
       return Coefficients3{1, 2 * p + 2 * q, p * p - q * q};
     }},
    {"distributed",  // p (x^2 + q x) + r
     [](OnnxFile& f) {
       f.node("Mul", {"x", "x"}, "s").node("Mul", {"q", "x"}, "t").node("Add", {"s", "t"}, "u");
       f.node("Mul", {"p", "u"}, "v").node("Add", {"v", "r"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, p * q, r};
     }},
    {"completed_square_as_written",  // p ((x + q / 2p)^2) + (r - q^2 / 4p), constants computed in the graph
     [](OnnxFile& f) {
       f.node("Mul", {"p", "two"}, "pp").node("Div", {"q", "pp"}, "beta").node("Mul", {"q", "q"}, "qq");
       f.node("Mul", {"pp", "two"}, "pppp").node("Div", {"qq", "pppp"}, "w").node("Sub", {"r", "w"}, "gamma");
       f.node("Add", {"x", "beta"}, "s").node("Pow", {"s", "two"}, "t").node("Mul", {"p", "t"}, "u");
       f.node("Add", {"u", "gamma"}, "y");
     },
     [](double p, double q, double r) {
       return Coefficients3{p, q, r};
     }},
    {"through_identities",
     [](OnnxFile& f) {
       f.node("Identity", {"x"}, "i").node("Mul", {"x", "i"}, "s").node("Dropout", {"s"}, "d");
       f.node("Mul", {"d", "p"}, "t").node("Cast", {"t"}, "k", {{"to", 1}}).node("Add", {"k", "r"}, "y");
     },
     [](double p, double, double r) {
       return Coefficients3{p, 0, r};
     }},
};

class QuadraticForm : public ::testing::TestWithParam<std::tuple<std::size_t, Kind, Place>> {};

TEST_P(QuadraticForm, BecomesOneLayerThatComputesIt) {
  const Form& form = forms[std::get<0>(GetParam())];
  const Constants k(std::get<1>(GetParam()), std::get<2>(GetParam()));
  const Floats p = k.make(1), q = k.make(2), r = k.make(3);
  OnnxFile file(k.shape);
  file.floats("p", k.dims, p).floats("q", k.dims, q).floats("r", k.dims, r).floats("two", {}, {2});
  form.write(file);
  const Graph g = file.load();
  EXPECT_EQ(count_of<Quadratic>(g), 1U);
  EXPECT_EQ(count_of<Multiply>(g) + count_of<Combine>(g), 0U);
  EXPECT_LE(g.nodes.size(), 2U);  // an affine map before the square may stay apart
  EXPECT_EQ(g.output, "y");
  const std::size_t count = 5;
  const auto x = images_for(g, count);
  const auto y = execute(g, x, count);
  ASSERT_EQ(y.size(), count * k.elements);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto e = i % k.elements;
    const Coefficients3 m = form.meaning(k.at(p, e), k.at(q, e), k.at(r, e));
    const double v = static_cast<double>(x[i]);
    EXPECT_NEAR(y[i], m.a * v * v + m.b * v + m.c, 3e-6) << "element " << e;
  }
  // And again through Velum's own file.
  const Graph h = load_onnx(to_onnx(g), "again.onnx");
  EXPECT_EQ(h.nodes.size(), g.nodes.size());
  const auto z = execute(h, x, count);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], z[i], 1e-6);
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<std::size_t, Kind, Place>>& test) {
  const auto [form, kind, place] = test.param;
  constexpr const char* kinds[] = {"scalar", "channel", "element"};
  return fmt::format("{}_{}_{}", forms[form].name, kinds[static_cast<std::size_t>(kind)],
                     place == Place::feature_map ? "map" : "vector");
}

INSTANTIATE_TEST_SUITE_P(All, QuadraticForm,
                         ::testing::Combine(::testing::Range<std::size_t>(0, std::size(forms)),
                                            ::testing::Values(Kind::scalar, Kind::channel, Kind::element),
                                            ::testing::Values(Place::feature_map, Place::vector)),
                         name_of);

TEST(QuadraticForms, CoefficientsOfDifferentKindsCombine) {
  OnnxFile f({2, 2, 3});
  f.floats("a", {2, 1, 1}, {1, 2}).floats("b", {1, 2, 1}, {10, 20}).floats("c", {3}, {1, 2, 3});
  f.node("Mul", {"x", "a"}, "s").node("Add", {"s", "b"}, "t").node("Add", {"x", "c"}, "u");
  f.node("Mul", {"t", "u"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(g.nodes.size(), 1U);
  const auto y = execute(g, Floats(12, 2.0F), 1);
  for (std::size_t i = 0; i < 12; ++i) {
    const double a = i < 6 ? 1 : 2, b = i / 3 % 2 ? 20 : 10, c = static_cast<double>(i % 3 + 1);
    EXPECT_DOUBLE_EQ(y[i], (2 * a + b) * (2 + c));
  }
}

TEST(QuadraticForms, HigherDegreeStaysProducts) {
  for (const int n : {3, 4, 5, 6, 7, 8}) {
    OnnxFile f({3});
    f.floats("n", {}, {static_cast<float>(n)}).node("Pow", {"x", "n"}, "y");
    const Graph g = f.load();
    require_polynomial(g);
    const Floats x{0.5F, -1.5F, 2};
    const auto y = execute(g, x, 1);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(y[i], std::pow(static_cast<double>(x[i]), n), 1e-9) << n;
  }
  OnnxFile f({3});
  f.node("Mul", {"x", "x"}, "s").node("Mul", {"s", "x"}, "t").node("Add", {"t", "s"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(execute(g, Floats{1, 2, -3}, 1), (std::vector<double>{2, 12, -18}));
}

TEST(QuadraticForms, PowerOneIsNothing) {
  OnnxFile f({3});
  f.floats("n", {}, {1})
      .floats("w", {3, 1}, {1, 2, 3})
      .node("Pow", {"x", "n"}, "t")
      .node("MatMul", {"t", "w"}, "y");
  EXPECT_EQ(f.load().nodes.size(), 1U);
}

TEST(QuadraticForms, ProductOfTwoBranchesStaysAProduct) {
  OnnxFile f({2});
  f.floats("v", {2, 2}, {1, 2, 3, 4}).floats("w", {2, 2}, {5, 6, 7, 8});
  f.node("MatMul", {"x", "v"}, "s").node("MatMul", {"x", "w"}, "t").node("Mul", {"s", "t"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(count_of<Multiply>(g), 1U);
  EXPECT_EQ(execute(g, Floats{1, 1}, 1), (std::vector<double>{48, 84}));
}

// A square that two readers need is computed once.
TEST(QuadraticForms, SharedSquareIsNotMerged) {
  OnnxFile f({2});
  f.floats("p", {}, {3}).floats("w", {2, 2}, {1, 0, 0, 1});
  f.node("Mul", {"x", "x"}, "s").node("Mul", {"s", "p"}, "t").node("MatMul", {"s", "w"}, "u");
  f.node("Add", {"t", "u"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(count_of<Quadratic>(g), 1U);
  EXPECT_EQ(execute(g, Floats{1, 2}, 1), (std::vector<double>{4, 16}));
}

// An affine value with two readers serves both, and the square still becomes one layer.
TEST(QuadraticForms, SharedAffineIsKeptForItsOtherReader) {
  OnnxFile f({2});
  f.floats("p", {}, {3}).floats("w", {2, 2}, {1, 0, 0, 1});
  f.node("Add", {"x", "p"}, "s").node("Mul", {"x", "s"}, "t").node("MatMul", {"s", "w"}, "u");
  f.node("MatMul", {"t", "w"}, "v").node("Add", {"u", "v"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(count_of<Quadratic>(g), 1U);
  EXPECT_EQ(count_of<ScaleShift>(g), 1U);
  EXPECT_EQ(execute(g, Floats{1, 2}, 1), (std::vector<double>{8, 15}));
}

TEST(QuadraticForms, ResidualAroundAnActivationOfAnotherTensor) {
  OnnxFile f({2});
  f.floats("w", {2, 2}, {1, 2, 3, 4}).floats("p", {2}, {1, -1});
  f.node("MatMul", {"x", "w"}, "h").node("Mul", {"h", "h"}, "s").node("Add", {"s", "p"}, "t");
  f.node("Add", {"t", "x"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(count_of<Quadratic>(g), 1U);
  EXPECT_EQ(count_of<Combine>(g), 1U);
  EXPECT_EQ(execute(g, Floats{1, 1}, 1), (std::vector<double>{18, 36}));
}

// a + (p x^2 + b) + q x with another branch in the middle: the square and the linear term still meet.
TEST(QuadraticForms, TermsMeetAcrossABranch) {
  OnnxFile f({2});
  f.floats("w", {2, 2}, {1, 2, 3, 4}).floats("p", {}, {2}).floats("q", {2}, {5, 7});
  f.node("MatMul", {"x", "w"}, "h").node("Mul", {"h", "h"}, "s").node("Mul", {"s", "p"}, "t");
  f.node("Add", {"t", "x"}, "u").node("Mul", {"h", "q"}, "v").node("Add", {"u", "v"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(count_of<Quadratic>(g), 1U);
  EXPECT_EQ(count_of<Combine>(g), 1U);
  EXPECT_EQ(execute(g, Floats{1, 1}, 1), (std::vector<double>{32 + 1 + 20, 72 + 1 + 42}));
}

TEST(QuadraticForms, VanishingSquareIsAffine) {
  OnnxFile f({2});
  f.floats("zero", {}, {0}).floats("q", {}, {3});
  f.node("Mul", {"x", "x"}, "s").node("Mul", {"s", "zero"}, "t").node("Mul", {"x", "q"}, "u");
  f.node("Add", {"t", "u"}, "y");
  const Graph g = f.load();
  EXPECT_EQ(g.nodes.size(), 1U);
  EXPECT_EQ(execute(g, Floats{1, 2}, 1), (std::vector<double>{3, 6}));
}

// Ranges are recorded for the input of a square: a file that has them keeps that tensor as the square's
// input.
TEST(QuadraticForms, RecordedRangeKeepsItsSquare) {
  OnnxFile f({2});
  f.floats("p", {}, {3})
      .node("Mul", {"x", "p"}, "h")
      .node("Mul", {"h", "h"}, "s")
      .node("Add", {"s", "x"}, "y");
  EXPECT_EQ(f.load().nodes.size(), 1U);
  auto* range = f.proto.add_metadata_props();
  range->set_key("velum.range.h");
  range->set_value("-1 1 0.5");
  const Graph g = f.load();
  for (const auto& n : g.nodes)
    if (std::holds_alternative<Quadratic>(n.op)) {
      EXPECT_EQ(n.inputs[0], "h");
    }
  EXPECT_EQ(execute(g, Floats{1, 2}, 1), (std::vector<double>{10, 38}));
}

}  // namespace
}  // namespace velum::model
