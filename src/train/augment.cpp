#include "train/augment.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <numbers>
#include <vector>

namespace velum::train {

namespace {

namespace F = torch::nn::functional;

constexpr std::int64_t kMesh = 5;  // points a side of an elastic displacement

// n values uniform in [-bound, bound].
torch::Tensor symmetric(std::int64_t n, double bound) {
  return (torch::rand({n}) * 2 - 1) * bound;
}

// Centres of n pixels on a side of length 2 around 0.
torch::Tensor pixel_centres(std::int64_t n) {
  return (torch::arange(n, torch::kFloat32) * 2 + 1) / static_cast<double>(n) - 1;
}

// Bicubic interpolation from kMesh points to n, ends on ends, as a matrix [n, kMesh].
torch::Tensor smooth_weights(std::int64_t n) {
  const auto units = torch::eye(kMesh).reshape({1, kMesh, kMesh, 1});
  return F::interpolate(units, F::InterpolateFuncOptions()
                                   .size(std::vector<std::int64_t>{n, 1})
                                   .mode(torch::kBicubic)
                                   .align_corners(true))
      .reshape({kMesh, n})
      .t();
}

bool moves_whole_pixels(const Augmentation& how) {
  return how.rotate <= 0 && how.scale <= 0 && how.shear <= 0 && how.elastic <= 0;
}

// Each image mirrored or not and shifted by whole pixels: new pixel (x, y) is old pixel (x + dx, y + dy), of
// a mirrored image (width - 1 - x + dx, y + dy); beyond the edge 0, or the edge.
torch::Tensor with_pixels_moved(const torch::Tensor& images, const Augmentation& how) {
  const auto n = images.size(0), channels = images.size(1), h = images.size(2), w = images.size(3);
  const auto draw = [&](double bound) { return torch::round(symmetric(n, bound)).to(torch::kInt64); };
  const auto dx = draw(how.shift), dy = draw(how.shift);
  const auto mirror = how.flip ? torch::randint(0, 2, {n}, torch::kInt64) : torch::zeros({n}, torch::kInt64);
  const auto from = images.contiguous();
  auto to = torch::empty_like(from);
  const float* source = from.data_ptr<float>();
  float* target = to.data_ptr<float>();
  const auto *dxs = dx.data_ptr<std::int64_t>(), *dys = dy.data_ptr<std::int64_t>(),
             *mirrors = mirror.data_ptr<std::int64_t>();
  at::parallel_for(0, n, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> column(static_cast<std::size_t>(w));  // -1: beyond the edge
    const auto inside = [&](std::int64_t at, std::int64_t size) {
      if (at >= 0 && at < size) return at;
      return how.edge_fill ? std::clamp<std::int64_t>(at, 0, size - 1) : std::int64_t{-1};
    };
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t x = 0; x < w; ++x)
        column[static_cast<std::size_t>(x)] = inside((mirrors[i] ? w - 1 - x : x) + dxs[i], w);
      for (std::int64_t c = 0; c < channels; ++c) {
        const float* plane = source + (i * channels + c) * h * w;
        float* out = target + (i * channels + c) * h * w;
        for (std::int64_t y = 0; y < h; ++y, out += w) {
          const auto row = inside(y + dys[i], h);
          for (std::int64_t x = 0; x < w; ++x) {
            const auto at = column[static_cast<std::size_t>(x)];
            out[x] = row < 0 || at < 0 ? 0.0F : plane[row * w + at];
          }
        }
      }
    }
  });
  return to;
}

// Sampling positions: where in the old image (coordinates in [-1, 1]) each new pixel comes from.
torch::Tensor sampling_grid(const torch::Tensor& images, const Augmentation& how) {
  const auto n = images.size(0), h = images.size(2), w = images.size(3);
  constexpr double radians = std::numbers::pi / 180;
  const auto angle = symmetric(n, how.rotate * radians);
  const auto size = 1 + symmetric(n, how.scale);
  const auto lean = torch::tan(symmetric(n, how.shear * radians));
  const auto mirror = how.flip ? 1 - 2 * torch::randint(0, 2, {n}).to(torch::kFloat32) : torch::ones({n});
  const auto dx = symmetric(n, how.shift), dy = symmetric(n, how.shift);
  const auto cosine = torch::cos(angle) / size, sine = torch::sin(angle) / size;
  const auto aspect = static_cast<double>(h) / static_cast<double>(w);
  // Old position of the new pixel (x, y): one row of the map for each coordinate.
  const auto x = pixel_centres(w).reshape({1, 1, w}), y = pixel_centres(h).reshape({1, h, 1});
  const auto from = [&](const torch::Tensor& of_x, const torch::Tensor& of_y, const torch::Tensor& offset) {
    return of_x.reshape({n, 1, 1}) * x + (of_y.reshape({n, 1, 1}) * y + offset.reshape({n, 1, 1}));
  };
  auto old_x = from(cosine * mirror, (lean * cosine - sine) * aspect, dx * (2.0 / static_cast<double>(w)));
  auto old_y = from(sine * mirror / aspect, lean * sine + cosine, dy * (2.0 / static_cast<double>(h)));
  if (how.elastic > 0) {
    // Random vectors on a coarse mesh, interpolated smoothly.
    const auto mesh = torch::randn({n, 2, kMesh, kMesh}) * how.elastic;
    const auto field = torch::matmul(torch::matmul(smooth_weights(h), mesh), smooth_weights(w).t());
    old_x += field.select(1, 0) * (2.0 / static_cast<double>(w));
    old_y += field.select(1, 1) * (2.0 / static_cast<double>(h));
  }
  return torch::stack({old_x, old_y}, 3);
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
  if (moves_whole_pixels(how)) {  // nothing is blurred, and nothing interpolated
    if (how.shift > 0 || how.flip) out = with_pixels_moved(out, how);
  } else {
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
