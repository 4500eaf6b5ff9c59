#include "engine/stream.h"

#include <algorithm>
#include <memory>

#include "base/stopwatch.h"
#include "engine/slice_product.h"
#include "engine/stores.h"
#include "plan/schedule/stream.h"

namespace velum::engine {

namespace {

// A band, made ready.
struct BandWork {
  const plan::Part* groups = nullptr;
  GroupInputs inputs;
  std::vector<Chunk> chunks;  // where its one group is cut
  std::uint32_t first_output = 0;
};

std::vector<BandWork> prepare_bands(const plan::Step& step, const std::vector<plan::Band>& bands) {
  std::vector<BandWork> all;
  for (const auto& band : bands) {
    const auto& group = step.groups[band.groups[0]];
    auto& work = all.emplace_back();
    work.groups = &band.groups;
    work.inputs = gather_inputs(step, band.groups);
    if (band.cuts.size() > 2) work.chunks = cut_group(step, group, band.cuts);
    work.first_output = group.first_output;
  }
  return all;
}

// A worker's memory: [output][poly][column] of the streamed step, then sums, then a panel.
struct Own {
  u64 *streamed, *sums;
  std::unique_ptr<SlicePanel> first, second;
  double first_seconds = 0, second_seconds = 0;
};

}  // namespace

StreamSeconds run_stream(const PreparedStep& first, const PreparedStep& second, std::size_t streamed,
                         const ckks::Parameters& params, const InputSource& input, MemoryPool& pool,
                         Workers& workers, const std::function<ckks::View(std::uint32_t)>& output,
                         const std::function<ckks::View(std::uint32_t)>& keep) {
  const auto& step = *second.step;
  const auto& group = step.groups[0];
  const std::size_t n = params.n();
  const auto shape = plan::shape_stream(*first.step, step, streamed, n);
  const auto bands = prepare_bands(*first.step, shape.bands);
  const auto chunks = cut_group(step, group, shape.cuts);
  const auto words = plan::stream_words(*first.step, step, streamed, n);
  const std::size_t columns = shape.columns, stride = plan::window_stride(n);
  std::vector<ckks::View> out;
  for (std::uint32_t r = 0; r < group.rows; ++r) out.push_back(output(group.first_output + r));

  auto window = pool.take(first.inputs.size() * 2 * stride);  // [input][poly]
  std::vector<InputSource::Limb> reads;
  for (std::size_t i = 0; i < first.inputs.size(); ++i) {
    u64* at = window.data() + 2 * i * stride;
    reads.push_back({first.inputs[i].element, at, at + stride});
  }
  const auto together = read_together(reads.size(), workers.count());
  std::vector<Own> own(workers.count());
  StreamSeconds seconds;
  for (std::size_t l = 0; l < step.limbs; ++l) {
    const Stopwatch reading;
    workers.loop((reads.size() + together - 1) / together, [&](std::size_t i, int) {
      const auto begin = i * together;
      input.read_limb_of_several(std::span(reads).subspan(begin, std::min(together, reads.size() - begin)),
                                 l);
    });
    seconds.input += reading.seconds();
    workers.loop(n / columns, [&](std::size_t slice, int w) {
      auto& mine = own[static_cast<std::size_t>(w)];
      auto* memory = workers.take(w, words);
      if (!mine.first) {
        mine.streamed = memory;
        mine.sums = memory + plan::streamed_words(streamed, columns);
        auto* panel = mine.sums + plan::stream_sums(*first.step, step, shape);
        mine.first = std::make_unique<SlicePanel>(first, params, columns, panel);
        mine.second = std::make_unique<SlicePanel>(second, params, columns, panel);
      }
      const std::size_t column = slice * columns;
      const Stopwatch making;
      const auto from_window = [&](std::uint32_t index) {
        const u64* at = window.data() + 2 * index * stride + column;
        return SliceInput{{at, at + stride, nullptr}};
      };
      for (const auto& band : bands) {
        const auto placed = [&](std::size_t o, std::size_t p) {
          return mine.streamed + ((band.first_output + o) * 2 + p) * columns;
        };
        if (band.chunks.empty()) {
          mine.first->fill(band.inputs, l, from_window);
          whole_product(first, params, *mine.first, band.inputs, *band.groups, l, placed, Stores::near);
        } else {
          chunked_product(first, params, *mine.first, first.step->groups[(*band.groups)[0]], band.chunks, l,
                          from_window, placed, mine.sums);
        }
      }
      if (keep)
        for (std::uint32_t o = 0; o < streamed; ++o)
          for (std::size_t p = 0; p < 2; ++p)
            std::copy_n(mine.streamed + (o * 2 + p) * columns, columns, keep(o).limb(p, l) + column);
      mine.first_seconds += making.seconds();
      const Stopwatch reading_them;
      chunked_product(
          second, params, *mine.second, group, chunks, l,
          [&](std::uint32_t index) {
            const u64* at = mine.streamed + std::size_t{second.inputs[index].element} * 2 * columns;
            return SliceInput{{at, at + columns, nullptr}};
          },
          [&](std::size_t o, std::size_t p) { return out[o].limb(p, l) + column; }, mine.sums);
      order_stores();
      mine.second_seconds += reading_them.seconds();
    });
  }
  for (const auto& o : own) {
    seconds.first += o.first_seconds;
    seconds.second += o.second_seconds;
  }
  return seconds;
}

}  // namespace velum::engine
