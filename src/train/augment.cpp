#include "train/augment.h"

#include <numbers>

namespace velum::train {

namespace {

namespace F = torch::nn::functional;

// n values uniform in [-bound, bound].
torch::Tensor symmetric(std::int64_t n, double bound) {
  return (torch::rand({n}) * 2 - 1) * bound;
}

// Sampling positions: where in the old image (coordinates in [-1, 1]) each new pixel comes from.
torch::Tensor sampling_grid(const torch::Tensor& images, const Augmentation& how) {
  const auto n = images.size(0), h = images.size(2), w = images.size(3);
  constexpr double radians = std::numbers::pi / 180;
  const auto angle = symmetric(n, how.rotate * radians);
  const auto size = 1 + symmetric(n, how.scale);
  const auto lean = torch::tan(symmetric(n, how.shear * radians));
  const auto mirror = how.flip ? 1 - 2 * torch::randint(0, 2, {n}).to(torch::kFloat32) : torch::ones({n});
  auto dx = symmetric(n, how.shift), dy = symmetric(n, how.shift);
  // Pure shifts go by whole pixels, so that nothing is blurred.
  if (how.rotate <= 0 && how.scale <= 0 && how.shear <= 0 && how.elastic <= 0) {
    dx = torch::round(dx);
    dy = torch::round(dy);
  }
  const auto cosine = torch::cos(angle) / size, sine = torch::sin(angle) / size;
  const auto aspect = static_cast<double>(h) / static_cast<double>(w);
  const auto row_x = torch::stack(
      {cosine * mirror, (lean * cosine - sine) * aspect, dx * (2.0 / static_cast<double>(w))}, 1);
  const auto row_y =
      torch::stack({sine * mirror / aspect, lean * sine + cosine, dy * (2.0 / static_cast<double>(h))}, 1);
  const auto theta = torch::stack({row_x, row_y}, 1);
  auto grid = F::affine_grid(theta, images.sizes(), false);
  if (how.elastic > 0) {
    // Random vectors on a coarse mesh, interpolated smoothly.
    const auto mesh = torch::randn({n, 2, 5, 5}) * how.elastic;
    const auto field = F::interpolate(mesh, F::InterpolateFuncOptions()
                                                .size(std::vector<std::int64_t>{h, w})
                                                .mode(torch::kBicubic)
                                                .align_corners(true));
    const auto to_unit =
        torch::tensor({2.0 / static_cast<double>(w), 2.0 / static_cast<double>(h)}, torch::kFloat32);
    grid = grid + field.permute({0, 2, 3, 1}) * to_unit;
  }
  return grid;
}

torch::Tensor with_square_blanked(const torch::Tensor& images, double side) {
  const auto n = images.size(0), h = images.size(2), w = images.size(3);
  const auto centre_y = torch::rand({n, 1, 1, 1}) * static_cast<double>(h);
  const auto centre_x = torch::rand({n, 1, 1, 1}) * static_cast<double>(w);
  const auto rows = torch::arange(h).to(torch::kFloat32).reshape({1, 1, h, 1});
  const auto columns = torch::arange(w).to(torch::kFloat32).reshape({1, 1, 1, w});
  const auto inside = ((rows - centre_y).abs() < side / 2) & ((columns - centre_x).abs() < side / 2);
  return images.masked_fill(inside, 0);
}

}  // namespace

torch::Tensor augment(const torch::Tensor& images, const Augmentation& how) {
  torch::NoGradGuard no_grad;
  auto out = images;
  if (how.shift > 0 || how.rotate > 0 || how.scale > 0 || how.shear > 0 || how.elastic > 0 || how.flip) {
    auto options =
        F::GridSampleFuncOptions().mode(torch::kBilinear).padding_mode(torch::kZeros).align_corners(false);
    if (how.edge_fill) options.padding_mode(torch::kBorder);
    out = F::grid_sample(out, sampling_grid(images, how), options);
  }
  if (how.intensity > 0) {
    const auto n = images.size(0);
    const auto contrast = 1 + symmetric(n, how.intensity).reshape({n, 1, 1, 1});
    const auto brightness = symmetric(n, how.intensity / 2).reshape({n, 1, 1, 1});
    out = ((out - 0.5) * contrast + 0.5 + brightness).clamp(0, 1);
  }
  if (how.cutout > 0) out = with_square_blanked(out, how.cutout);
  return out.is_same(images) ? images.clone() : out;
}

Mixed mix_pairs(const torch::Tensor& images, double alpha) {
  torch::NoGradGuard no_grad;
  // Beta(alpha, alpha) as a share of two Gamma(alpha) draws.
  const auto draws = torch::_standard_gamma(torch::full({2}, alpha, torch::kFloat64));
  const double first = draws[0].item<double>(), second = draws[1].item<double>();
  Mixed out;
  out.part = first + second > 0 ? first / (first + second) : 0.5;
  out.partner = torch::randperm(images.size(0));
  out.images = images * out.part + images.index_select(0, out.partner) * (1 - out.part);
  return out;
}

}  // namespace velum::train
