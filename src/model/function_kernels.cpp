#include "model/function_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>

#include "base/error.h"
#include "model/shapes.h"

namespace velum::model {

namespace {

double sigmoid(double x) {
  return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

// log(1 + exp(x)), without overflow.
double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

double hard_sigmoid(double x, double slope, double offset) {
  return std::clamp(slope * x + offset, 0.0, 1.0);
}

double gelu(double x, double tangent) {
  if (tangent == 0) return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
  const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1 + std::tanh(inner));
}

// To even where halfway, as ONNX rounds.
double round_even(double x) {
  const double r = std::round(x);
  return std::fabs(x - std::trunc(x)) == 0.5 ? 2 * std::round(x / 2) : r;
}

double sign(double x) {
  return x > 0 ? 1.0 : x < 0 ? -1.0 : 0.0;
}

using Unary = double (*)(double x, double alpha, double beta);
using Binary = double (*)(double x, double y);

const std::map<std::string, Unary, std::less<>>& unary_functions() {
  static const std::map<std::string, Unary, std::less<>> table{
      {"Abs", [](double x, double, double) { return std::fabs(x); }},
      {"Acos", [](double x, double, double) { return std::acos(x); }},
      {"Acosh", [](double x, double, double) { return std::acosh(x); }},
      {"Asin", [](double x, double, double) { return std::asin(x); }},
      {"Asinh", [](double x, double, double) { return std::asinh(x); }},
      {"Atan", [](double x, double, double) { return std::atan(x); }},
      {"Atanh", [](double x, double, double) { return std::atanh(x); }},
      {"Ceil", [](double x, double, double) { return std::ceil(x); }},
      {"Celu", [](double x, double a, double) { return x > 0 ? x : a * std::expm1(x / a); }},
      {"Clip", [](double x, double low, double high) { return std::min(std::max(x, low), high); }},
      {"Cos", [](double x, double, double) { return std::cos(x); }},
      {"Cosh", [](double x, double, double) { return std::cosh(x); }},
      {"Elu", [](double x, double a, double) { return x > 0 ? x : a * std::expm1(x); }},
      {"Erf", [](double x, double, double) { return std::erf(x); }},
      {"Exp", [](double x, double, double) { return std::exp(x); }},
      {"Floor", [](double x, double, double) { return std::floor(x); }},
      {"Gelu", [](double x, double tangent, double) { return gelu(x, tangent); }},
      {"HardSigmoid", hard_sigmoid},
      {"HardSwish", [](double x, double, double) { return x * hard_sigmoid(x, 1.0 / 6, 0.5); }},
      {"LeakyRelu", [](double x, double a, double) { return x > 0 ? x : a * x; }},
      {"Log", [](double x, double, double) { return std::log(x); }},
      {"Mish", [](double x, double, double) { return x * std::tanh(softplus(x)); }},
      {"Not", [](double x, double, double) { return x == 0 ? 1.0 : 0.0; }},
      {"Reciprocal", [](double x, double, double) { return 1 / x; }},
      {"Round", [](double x, double, double) { return round_even(x); }},
      {"Selu", [](double x, double a, double g) { return g * (x > 0 ? x : a * std::expm1(x)); }},
      {"Sigmoid", [](double x, double, double) { return sigmoid(x); }},
      {"Shrink",
       [](double x, double lambda, double bias) {
         return x < -lambda ? x + bias : x > lambda ? x - bias : 0;
       }},
      {"Sign", [](double x, double, double) { return sign(x); }},
      {"Sin", [](double x, double, double) { return std::sin(x); }},
      {"Sinh", [](double x, double, double) { return std::sinh(x); }},
      {"Softplus", [](double x, double, double) { return softplus(x); }},
      {"Softsign", [](double x, double, double) { return x / (1 + std::fabs(x)); }},
      {"Sqrt", [](double x, double, double) { return std::sqrt(x); }},
      {"Swish", [](double x, double a, double) { return x * sigmoid(a * x); }},
      {"Tan", [](double x, double, double) { return std::tan(x); }},
      {"Tanh", [](double x, double, double) { return std::tanh(x); }},
      {"ThresholdedRelu", [](double x, double a, double) { return x > a ? x : 0.0; }},
  };
  return table;
}

const std::map<std::string, Binary, std::less<>>& binary_functions() {
  static const std::map<std::string, Binary, std::less<>> table{
      {"And", [](double x, double y) { return x != 0 && y != 0 ? 1.0 : 0.0; }},
      {"Div", [](double x, double y) { return x / y; }},
      {"Equal", [](double x, double y) { return x == y ? 1.0 : 0.0; }},
      {"Greater", [](double x, double y) { return x > y ? 1.0 : 0.0; }},
      {"GreaterOrEqual", [](double x, double y) { return x >= y ? 1.0 : 0.0; }},
      {"Less", [](double x, double y) { return x < y ? 1.0 : 0.0; }},
      {"LessOrEqual", [](double x, double y) { return x <= y ? 1.0 : 0.0; }},
      {"Max", [](double x, double y) { return std::max(x, y); }},
      {"Min", [](double x, double y) { return std::min(x, y); }},
      {"Or", [](double x, double y) { return x != 0 || y != 0 ? 1.0 : 0.0; }},
      {"PRelu", [](double x, double slope) { return x > 0 ? x : slope * x; }},
      {"Pow", [](double x, double y) { return std::pow(x, y); }},
      {"Xor", [](double x, double y) { return (x != 0) != (y != 0) ? 1.0 : 0.0; }},
  };
  return table;
}

// A tensor as before x along x after, `along` being the axes of the function.
struct Split {
  std::size_t before = 1, along = 1, after = 1;
};

Split split(const AxisFunction& f, const Shape& in) {
  Split s;
  for (std::size_t a = 0; a < in.size(); ++a) {
    const auto n = static_cast<std::size_t>(in[a]);
    if (static_cast<int>(a) < f.first)
      s.before *= n;
    else
      (static_cast<int>(a) < f.last ? s.along : s.after) *= n;
  }
  return s;
}

// The elements along the axes, of one image: read(k), k below s.along.
struct Line {
  const double* x;
  std::size_t step;
  double operator()(std::size_t k) const { return x[k * step]; }
};

std::size_t largest(Line in, std::size_t count, bool last, double sign_of) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < count; ++k)
    if (sign_of * in(k) > sign_of * in(best) || (last && in(k) == in(best))) best = k;
  return best;
}

void soft(const std::string& op, Line in, double* out, std::size_t count) {
  const double top = in(largest(in, count, false, 1));
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) sum += std::exp(in(k)-top);
  for (std::size_t k = 0; k < count; ++k)
    out[k * in.step] = op == "Softmax" ? std::exp(in(k)-top) / sum : in(k)-top - std::log(sum);
}

// (x - mean) / sqrt(variance + epsilon); without the mean for the root mean square alone.
void normalise(Line in, double* out, std::size_t count, double epsilon, bool centred) {
  const auto n = static_cast<double>(count);
  double mean = 0, squares = 0;
  for (std::size_t k = 0; centred && k < count; ++k) mean += in(k) / n;
  for (std::size_t k = 0; k < count; ++k) squares += (in(k)-mean) * (in(k)-mean);
  const double factor = 1 / std::sqrt(squares / n + epsilon);
  for (std::size_t k = 0; k < count; ++k) out[k * in.step] = (in(k)-mean) * factor;
}

// x / (bias + alpha / size * sum of squares of the channels around) ^ beta
void local_response(const AxisFunction& f, Line in, double* out, std::size_t count) {
  const auto size = static_cast<std::size_t>(f.size);
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t low = (size - 1) / 2, first = k >= low ? k - low : 0;
    const std::size_t last = std::min(count, k + (size - 1) - low + 1);
    double squares = 0;
    for (std::size_t i = first; i < last; ++i) squares += in(i)*in(i);
    out[k * in.step] = in(k) / std::pow(f.bias + f.alpha / static_cast<double>(size) * squares, f.beta);
  }
}

double reduced(const std::string& op, Line in, std::size_t count) {
  const double top = op == "ReduceLogSumExp" ? in(largest(in, count, false, 1)) : 0;
  double sum = 0, product = 1;
  for (std::size_t k = 0; k < count; ++k) {
    const double x = in(k);
    product *= x;
    sum += op == "ReduceL1"          ? std::fabs(x)
           : op == "ReduceL2"        ? x * x
           : op == "ReduceLogSumExp" ? std::exp(x - top)
                                     : x;
  }
  if (op == "ReduceProd") return product;
  if (op == "ReduceL1") return sum;
  return op == "ReduceL2" ? std::sqrt(sum) : top + std::log(sum);
}

void one_line(const AxisFunction& f, Line in, double* out, std::size_t count) {
  if (f.op == "Softmax" || f.op == "LogSoftmax") {
    soft(f.op, in, out, count);
  } else if (f.op == "Hardmax") {
    const auto top = largest(in, count, false, 1);
    for (std::size_t k = 0; k < count; ++k) out[k * in.step] = k == top ? 1.0 : 0.0;
  } else if (f.op == "ArgMax" || f.op == "ArgMin") {
    *out = static_cast<double>(largest(in, count, f.size != 0, f.op == "ArgMax" ? 1 : -1));
  } else if (f.op == "ReduceMax" || f.op == "ReduceMin") {
    *out = in(largest(in, count, false, f.op == "ReduceMax" ? 1 : -1));
  } else if (reduces(f)) {
    *out = reduced(f.op, in, count);
  } else if (f.op == "LRN") {
    local_response(f, in, out, count);
  } else {
    normalise(in, out, count, f.alpha, f.op != "RMSNormalization");
  }
}

}  // namespace

bool can_execute(const std::string& op, std::size_t inputs) {
  if (op == "Where") return inputs == 3;
  return inputs == 1 ? unary_functions().contains(op) : inputs == 2 && binary_functions().contains(op);
}

LayerKernel prepare_function(const Function& f, std::size_t inputs, const Shape& shape) {
  if (!can_execute(f.op, inputs)) fail_user("is {}, which Velum does not execute", f.op);
  const auto n = static_cast<std::size_t>(element_count(shape));
  if (inputs == 1)
    return [n, g = unary_functions().at(f.op), a = f.alpha, b = f.beta](std::span<const double* const> in,
                                                                        double* y, std::size_t lanes) {
      for (std::size_t i = 0; i < n * lanes; ++i) y[i] = g(in[0][i], a, b);
    };
  if (inputs == 2)
    return [n, g = binary_functions().at(f.op)](std::span<const double* const> in, double* y,
                                                std::size_t lanes) {
      for (std::size_t i = 0; i < n * lanes; ++i) y[i] = g(in[0][i], in[1][i]);
    };
  return [n](std::span<const double* const> in, double* y, std::size_t lanes) {
    for (std::size_t i = 0; i < n * lanes; ++i) y[i] = in[0][i] != 0 ? in[1][i] : in[2][i];
  };
}

LayerKernel prepare_axis_function(const AxisFunction& f, const Shape& in) {
  const Split s = split(f, in);
  return [f, s, shrinks = reduces(f)](std::span<const double* const> x, double* y, std::size_t lanes) {
    for (std::size_t i = 0; i < s.before; ++i)
      for (std::size_t j = 0; j < s.after * lanes; ++j) {
        const std::size_t row = s.after * lanes;
        double* out = y + i * row * (shrinks ? 1 : s.along) + j;
        one_line(f, {x[0] + i * row * s.along + j, row}, out, s.along);
      }
  };
}

}  // namespace velum::model
