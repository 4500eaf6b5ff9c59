#include "train/adamw.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>
#include <string>
#include <type_traits>

namespace velum::train {

namespace {

using torch::optim::AdamWOptions;
using torch::optim::AdamWParamState;

constexpr std::int64_t kGrain = 16384;  // elements a thread takes at least

bool is_plain(const torch::Tensor& t) {
  return t.device().is_cpu() && t.scalar_type() == torch::kFloat32 && t.layout() == torch::kStrided &&
         t.is_contiguous();
}

// torch 1.13 keys the states of parameters by text, later versions by address.
template <typename States>
typename States::key_type key_of(const torch::Tensor& p) {
  if constexpr (std::is_same_v<typename States::key_type, std::string>)
    return (std::ostringstream() << p.unsafeGetTensorImpl()).str();
  else
    return p.unsafeGetTensorImpl();
}

template <typename States>
AdamWParamState& state_of(States& states, const torch::Tensor& p) {
  auto& slot = states[key_of<States>(p)];
  if (!slot) {
    auto fresh = std::make_unique<AdamWParamState>();
    fresh->step(0);
    fresh->exp_avg(torch::zeros_like(p, torch::MemoryFormat::Preserve));
    fresh->exp_avg_sq(torch::zeros_like(p, torch::MemoryFormat::Preserve));
    slot = std::move(fresh);
  }
  return static_cast<AdamWParamState&>(*slot);
}

// Factors of one step of one tensor.
struct Factors {
  float keep;               // 1 - rate * decay
  float beta1, beta2;       // what a moment keeps
  float rate;               // rate / (1 - beta1^step)
  float second_correction;  // 1 / sqrt(1 - beta2^step)
  float eps;
};

//   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
//   p = keep p - rate m / (sqrt(v) second_correction + eps)
void update(float* p, const float* g, float* m, float* v, std::int64_t n, const Factors& f) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float gi = g[i];
    const float mi = f.beta1 * m[i] + (1.0F - f.beta1) * gi;
    const float vi = f.beta2 * v[i] + (1.0F - f.beta2) * gi * gi;
    m[i] = mi;
    v[i] = vi;
    p[i] = f.keep * p[i] - f.rate * mi / (std::sqrt(vi) * f.second_correction + f.eps);
  }
}

void update(const torch::Tensor& p, AdamWParamState& state, const AdamWOptions& o) {
  state.step(state.step() + 1);
  const auto [beta1, beta2] = o.betas();
  const auto step = static_cast<double>(state.step());
  Factors f{};
  f.keep = static_cast<float>(1 - o.lr() * o.weight_decay());
  f.beta1 = static_cast<float>(beta1);
  f.beta2 = static_cast<float>(beta2);
  f.rate = static_cast<float>(o.lr() / (1 - std::pow(beta1, step)));
  f.second_correction = static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, step)));
  f.eps = static_cast<float>(o.eps());
  auto* values = p.data_ptr<float>();
  const auto* gradient = p.grad().data_ptr<float>();
  auto *first = state.exp_avg().data_ptr<float>(), *second = state.exp_avg_sq().data_ptr<float>();
  at::parallel_for(0, p.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    update(values + begin, gradient + begin, first + begin, second + begin, end - begin, f);
  });
}

}  // namespace

torch::Tensor FusedAdamW::step(LossClosure closure) {
  bool plain = true;
  for (const auto& group : param_groups()) {
    plain = plain && !static_cast<const AdamWOptions&>(group.options()).amsgrad();
    for (const auto& p : group.params())
      plain = plain && (!p.grad().defined() || (is_plain(p) && is_plain(p.grad())));
  }
  if (!plain) return torch::optim::AdamW::step(std::move(closure));
  torch::Tensor loss;
  if (closure) {
    at::AutoGradMode with_gradients(true);
    loss = closure();
  }
  torch::NoGradGuard no_grad;
  for (auto& group : param_groups()) {
    const auto& options = static_cast<const AdamWOptions&>(group.options());
    for (const auto& p : group.params())
      if (p.grad().defined()) update(p, state_of(state(), p), options);
  }
  return loss;
}

}  // namespace velum::train
