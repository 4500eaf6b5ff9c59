#include "engine/run_weights.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/parallel.h"
#include "ckks/core/fft.h"
#include "ckks/core/periodic.h"
#include "plan/schedule/run_products.h"

namespace velum::engine {

namespace {

constexpr std::size_t kShortest = 16;  // arrays that kernels take

// x[i] = factor x[i]
void multiply(u64* x, const kernels::Factor& factor, std::size_t n, const kernels::Modulus& m) {
  if (n >= kShortest) return kernels::table().multiply_scalar(x, x, factor, n, m);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<u64>(static_cast<kernels::u128>(x[i]) * factor.value % m.q);
}

}  // namespace

void transform_weights(u64* out, const PreparedStep& prepared, const plan::Group& g, std::size_t first,
                       std::size_t inputs, kernels::RowBlock rows, const ring::Ring& ring, std::size_t limb,
                       u64* scratch) {
  const auto& step = *prepared.step;
  const std::size_t height = rows.end - rows.begin, blocks = prepared.blocks;
  const u64 q = ring.q(limb);
  for (std::size_t b = 0; b < kernels::row_block_count(height); ++b) {
    const auto block = kernels::row_block(height, b);
    const std::size_t some = block.end - block.begin;
    for (std::size_t k = 0; k < inputs; ++k) {
      const auto source = prepared.inputs[g.periodic_inputs[first + k]].source;
      for (std::size_t r = 0; r < some; ++r) {
        const auto row = rows.begin + block.begin + r;
        const auto* w = step.periodic.data() + g.periodic_offset + ((first + k) * g.rows + row) * blocks;
        u64* x = scratch + r * blocks;
        for (std::size_t i = 0; i < blocks; ++i)
          x[i] = w[i] < 0 ? q - static_cast<u64>(-w[i]) : static_cast<u64>(w[i]);
        if (step.sources[source].lift != 1)
          multiply(x, prepared.lift[std::size_t{source} * step.limbs + limb], blocks, ring.modulus(limb));
        ckks::transform_periodic(x, blocks, ring, limb);
      }
      u64* place = out + kernels::run_weight(height, inputs, block.begin, k);
      for (std::size_t c = 0; c < blocks; ++c, place += height * inputs)
        for (std::size_t r = 0; r < some; ++r) place[r] = scratch[r * blocks + c];
    }
  }
}

KeptWeights keep_weights(const PreparedStep& prepared, const ckks::Parameters& params) {
  const auto& step = *prepared.step;
  const auto blocks = prepared.blocks;
  KeptWeights kept;
  const auto bytes = plan::kept_weight_bytes(step, blocks, params.n());
  if (bytes == 0) return kept;
  kept.residues = AlignedBuffer<u64>(bytes / 8);
  // A unit: a limb and a block of rows of the first group of its kind.
  struct Unit {
    std::uint32_t group;
    std::size_t limb, row_block, begin;
  };
  std::vector<Unit> units;
  const auto kinds = plan::weight_kinds(step);
  std::map<plan::WeightKind, std::size_t> places;
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < step.groups.size(); ++i) {
    const auto& g = step.groups[i];
    const auto inputs = g.periodic_inputs.size();
    const auto [place, fresh] = places.try_emplace(kinds[i], next);
    kept.begin.push_back(place->second);
    if (!fresh || inputs == 0) continue;
    for (std::size_t l = 0; l < step.limbs; ++l)
      for (std::size_t b = 0; b < plan::run_row_blocks(g.rows); ++b)
        units.push_back(
            {i, l, b, next + inputs * blocks * (l * g.rows + plan::run_row_block(g.rows, b).begin)});
    next += inputs * blocks * step.limbs * g.rows;
  }
  parallel_for(units.size(), [&](std::size_t i, int) {
    const auto& u = units[i];
    const auto& g = step.groups[u.group];
    const auto rows = plan::run_row_block(g.rows, u.row_block);
    const std::size_t inputs = g.periodic_inputs.size(), height = rows.end - rows.begin;
    const auto slicing = plan::slice_runs(inputs, height, step.polys, blocks, params.n());
    std::vector<u64> scratch(plan::run_transform_words(blocks));
    for (std::size_t k = 0; k < inputs; k += slicing.inputs)
      transform_weights(kept.residues.data() + u.begin + k * height * blocks, prepared, g, k,
                        std::min(slicing.inputs, inputs - k), rows, params.ring(), u.limb, scratch.data());
  });
  return kept;
}

// Coefficients as Encoder::encode finds them, of the real ring of dimension P.
std::vector<u64> block_bias_residues(const plan::Step& step, const ckks::Parameters& params,
                                     std::size_t blocks) {
  const std::size_t outputs = step.bias.size() / blocks;
  std::vector<u64> residues(step.limbs * step.bias.size());
  const ckks::ComplexTransform transform(blocks);
  std::vector<double> re(blocks), im(blocks);
  std::vector<u64> x(blocks);
  for (std::size_t o = 0; o < outputs; ++o) {
    std::fill(im.begin(), im.end(), 0);
    for (std::size_t p = 0; p < blocks; ++p) re[transform.leaf_of_slot()[p]] = step.bias[o * blocks + p];
    transform.inverse_unscaled(re.data(), im.data());
    for (std::size_t l = 0; l < step.limbs; ++l) {
      for (std::size_t i = 0; i < blocks; ++i)
        x[i] = round_to_residue(re[i] / static_cast<double>(blocks) * step.affine_scale,
                                params.ring().modulus(l));
      ckks::transform_periodic(x.data(), blocks, params.ring(), l);
      std::copy_n(x.data(), blocks,
                  residues.begin() + static_cast<std::ptrdiff_t>((l * outputs + o) * blocks));
    }
  }
  return residues;
}

}  // namespace velum::engine
