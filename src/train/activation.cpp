#include "train/activation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace velum::train {

namespace {

constexpr std::array<std::pair<ActivationKind, std::string_view>, 5> kNames = {{
    {ActivationKind::relu, "relu"},
    {ActivationKind::square, "square"},
    {ActivationKind::layer, "layer"},
    {ActivationKind::channel, "channel"},
    {ActivationKind::element, "element"},
}};

constexpr std::array<std::pair<Start, std::string_view>, 4> kStarts = {{
    {Start::fit, "fit"},
    {Start::range, "range"},
    {Start::identity, "identity"},
    {Start::fixed, "fixed"},
}};
constexpr QuadraticCoefficients kIdentity{0, 1, 0}, kFixed{0.125, 0.5, 0.25};

// Where the samples determine nothing, that for a standard normal input: E relu(x) = 2 p, E a x^2 = a.
QuadraticCoefficients bounded_fit(double a, const ReluMoments& moments, const QuadraticCoefficients& normal) {
  return fit_relu_with(a, moments).value_or(QuadraticCoefficients{a, normal.b, normal.a + normal.c - a});
}

std::vector<std::int64_t> coefficient_shape(ActivationKind kind, const std::vector<std::int64_t>& shape) {
  if (kind == ActivationKind::element) return shape;
  if (kind == ActivationKind::channel) {
    std::vector<std::int64_t> out(shape.size(), 1);
    out[0] = shape[0];
    return out;
  }
  return {1};
}

}  // namespace

ActivationKind parse_activation(std::string_view name) {
  for (const auto& [kind, text] : kNames)
    if (text == name) return kind;
  fail_user("activation \"{}\": unknown; choose relu, square, layer, channel or element", name);
}

std::string_view to_string(ActivationKind kind) {
  for (const auto& [k, text] : kNames)
    if (k == kind) return text;
  return "unknown";
}

Start parse_start(std::string_view name) {
  for (const auto& [start, text] : kStarts)
    if (text == name) return start;
  fail_user("start \"{}\" of the activations: unknown; choose fit, range, identity or fixed", name);
}

std::string_view to_string(Start start) {
  for (const auto& [s, text] : kStarts)
    if (s == start) return text;
  return "unknown";
}

bool is_trainable(ActivationKind kind) {
  return kind != ActivationKind::relu && kind != ActivationKind::square;
}

ActivationImpl::ActivationImpl(ActivationKind kind, std::vector<std::int64_t> shape,
                               ReplacedFunctionPtr function)
    : kind_(kind), shape_(std::move(shape)), function_(std::move(function)) {
  if (kind_ == ActivationKind::relu) return;
  const auto dims = coefficient_shape(kind_, shape_);
  a = torch::empty(dims);
  b = torch::empty(dims);
  c = torch::empty(dims);
  if (is_trainable(kind_)) {
    set(kNormalFit);
    register_parameter("a", a);
    register_parameter("b", b);
    register_parameter("c", c);
  } else {
    set({1, 0, 0});
    register_buffer("a", a);
    register_buffer("b", b);
    register_buffer("c", c);
  }
}

torch::Tensor ActivationImpl::expanded(const torch::Tensor& coefficient) const {
  return coefficient.expand(shape_).reshape({-1});
}

ActivationResult ActivationImpl::forward(const torch::Tensor& x, const RangePull& pull) {
  if (kind_ == ActivationKind::relu) return {replaced(x), {}};
  if (!function_ || share_ >= 1) return quadratic(x, expanded(a), expanded(b), expanded(c), pull, share_);
  auto result = quadratic(x, expanded(a), expanded(b), expanded(c), pull);
  result.y = share_ * result.y + (1 - share_) * replaced(x);
  return result;
}

torch::Tensor ActivationImpl::replaced(const torch::Tensor& x) const {
  return function_ ? (*function_)(x) : torch::relu(x);
}

// The fit over a standard normal input, by its quantiles; of the layer as a whole where its elements differ.
QuadraticCoefficients ActivationImpl::normal_fit() const {
  if (!function_) return kNormalFit;
  constexpr std::int64_t kPoints = 64;
  const auto shares = (torch::arange(kPoints, torch::kFloat64) + 0.5) / static_cast<double>(kPoints);
  std::vector<std::int64_t> dims(shape_.size() + 1, 1);
  dims[0] = kPoints;
  auto all = shape_;
  all.insert(all.begin(), kPoints);
  const auto x = torch::special::ndtri(shares).to(torch::kFloat32).reshape(dims).expand(all).contiguous();
  const auto y = replaced(x).contiguous();
  ReluMoments moments;
  for (std::int64_t i = 0; i < x.numel(); ++i) moments.add(x.data_ptr<float>()[i], y.data_ptr<float>()[i]);
  return fit_relu(moments).value_or(kNormalFit);
}

void ActivationImpl::set(const QuadraticCoefficients& value) {
  torch::NoGradGuard no_grad;
  a.fill_(value.a);
  b.fill_(value.b);
  c.fill_(value.c);
}

void ActivationImpl::start(Start how, const torch::Tensor& inputs, const CoefficientLimits& limits) {
  if (!is_trainable(kind_)) return;
  if (how == Start::fit || how == Start::range) return fit(inputs, limits, how == Start::range);
  set(how == Start::identity ? kIdentity : kFixed);
  project(limits);
}

// The largest |input| of each unit's channel (of the layer where all share one unit).
std::vector<double> ActivationImpl::reaches(const torch::Tensor& inputs) const {
  auto largest = inputs.abs().amax(0);  // of each element over the images
  if (kind_ == ActivationKind::layer) {
    largest = largest.amax();
  } else if (largest.dim() == 3) {
    largest = largest.amax({1, 2}, /*keepdim=*/true);
  }
  const auto units = largest.expand(a.sizes()).to(torch::kFloat64).contiguous();
  return {units.data_ptr<double>(), units.data_ptr<double>() + units.numel()};
}

void ActivationImpl::fit(const torch::Tensor& inputs, const CoefficientLimits& limits, bool bounded) {
  if (!is_trainable(kind_)) return;
  torch::NoGradGuard no_grad;
  const auto x = inputs.detach().cpu().contiguous();
  const auto images = x.size(0), elements = x.numel() / images, units = a.numel();
  const auto unit_elements = elements / units;  // a unit's elements are consecutive in every kind
  std::vector<ReluMoments> moments(static_cast<std::size_t>(units));
  const auto y = function_ ? replaced(x).contiguous() : torch::Tensor();
  const float* p = x.data_ptr<float>();
  const float* q = function_ ? y.data_ptr<float>() : nullptr;
  for (std::int64_t n = 0; n < images; ++n)
    for (std::int64_t u = 0; u < units; ++u)
      for (std::int64_t i = 0; i < unit_elements; ++i, ++p) {
        auto& m = moments[static_cast<std::size_t>(u)];
        if (q)
          m.add(*p, *q++);
        else
          m.add(*p);
      }
  const auto normal = normal_fit();
  const auto reach = bounded ? reaches(x) : std::vector<double>{};
  std::vector<float> found_a, found_b, found_c;
  for (std::size_t u = 0; u < moments.size(); ++u) {
    auto found = fit_relu(moments[u]).value_or(normal);
    if (bounded) {
      const double most = range_curvature(std::max(kRangeReach * reach[u], 1e-3));
      if (std::abs(found.a) > most) found = bounded_fit(std::copysign(most, found.a), moments[u], normal);
    }
    found_a.push_back(static_cast<float>(found.a));
    found_b.push_back(static_cast<float>(found.b));
    found_c.push_back(static_cast<float>(found.c));
  }
  a.copy_(torch::tensor(found_a).reshape(a.sizes()));
  b.copy_(torch::tensor(found_b).reshape(b.sizes()));
  c.copy_(torch::tensor(found_c).reshape(c.sizes()));
  project(limits);
}

void ActivationImpl::project(const CoefficientLimits& limits) {
  if (!is_trainable(kind_)) return;
  torch::NoGradGuard no_grad;
  if (a.device().is_cpu()) {  // after every step: one pass, not ten
    auto *ap = a.data_ptr<float>(), *bp = b.data_ptr<float>();
    const auto least = static_cast<float>(limits.min_curvature);
    const auto furthest = static_cast<float>(2 * limits.max_centre);
    for (std::int64_t u = 0; u < a.numel(); ++u) {
      const float size = std::max(std::abs(ap[u]), least), reach = furthest * size;
      ap[u] = ap[u] < 0 ? -size : size;
      bp[u] = std::clamp(bp[u], -reach, reach);
    }
    return;
  }
  const auto sign = torch::where(a < 0, -torch::ones_like(a), torch::ones_like(a));
  a.copy_(sign * a.abs().clamp_min(limits.min_curvature));
  const auto reach = a.abs() * (2 * limits.max_centre);
  b.copy_(torch::minimum(torch::maximum(b, -reach), reach));
}

}  // namespace velum::train
