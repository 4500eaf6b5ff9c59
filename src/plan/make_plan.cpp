#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "base/units.h"
#include "plan/choose/precision.h"
#include "plan/choose/variants.h"
#include "plan/emit/emit.h"
#include "plan/file/explain.h"
#include "plan/file/identity.h"
#include "plan/key_bytes.h"
#include "plan/layout/choose_layouts.h"
#include "plan/lower/ranges.h"
#include "plan/lower/size_limit.h"
#include "plan/lower/sums.h"
#include "plan/schedule/schedule.h"

namespace velum::plan {

namespace {

// Counts of every step as the schedule runs it.
void add_costs(PlanResult& result, const Rates& rates) {
  auto& plan = result.plan;
  const auto ring = ring_size(plan.client.params);
  const auto works = scheduled_works(plan);
  plan.total = {};
  result.work.clear();
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    auto& step = plan.steps[s];
    const auto& w = works[s];
    step.cost = cost_of(w, ring, rates);
    plan.total = plan.total + step.cost;
    result.work.push_back(work_of(w, ring));
  }
  result.input_work = input_work(plan.values[0].elements, plan.client.input_limbs, ring.n);
  plan.total.seconds += rates.seconds(result.input_work);
}

void check_request(const Request& r) {
  const auto b = r.blocks;
  if (b != 0 && ((b & (b - 1)) != 0 || b > 8192))
    fail_user("{} blocks were asked for: expected a power of two from 2 to 8192", b);
  if (!(r.precision_bits >= 0))
    fail_user("a precision of {} bits was asked for: expected 0 (the planner's own) or more",
              r.precision_bits);
  if (r.max_log_n < r.min_log_n || r.min_log_n < 4 || r.max_log_n > 16)
    fail_user("ring dimensions 2^{} to 2^{} were asked for: expected a range within 2^10 to 2^16",
              r.min_log_n, r.max_log_n);
}

// A refusal names the usual precision where more than that was
// planned without being asked for.
Schedule schedule_within_memory(ServerPlan& plan, const Request& request, double precision_bits) {
  const auto limit = request.memory_bytes ? request.memory_bytes : std::numeric_limits<std::uint64_t>::max();
  try {
    return make_schedule(plan, limit, request.threads ? request.threads : threads(), rates_of(request));
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::user || request.precision_bits > 0 || precision_bits <= kBoundBits) throw;
    fail_user("{}; or ask for --precision {:.0f}, in place of {:.1f} that leave more to typical outputs",
              e.what(), kBoundBits, precision_bits);
  }
}

// The plan of a variant: scheduled within the memory, costs counted, verified.
PlanResult finish_plan(const model::Graph& graph, const Request& request, const Variant& v,
                       const std::optional<Choice>& pools) {
  PlanResult result;
  result.notes = graph.notes;
  result.rates_origin = request.rates_origin;
  auto emitted = emit_plan(graph, v.network, v.stages, v.levels, v.search.best);
  result.plan = std::move(emitted.plan);
  result.meanings = std::move(emitted.meanings);
  auto& plan = result.plan;
  const auto schedule = schedule_within_memory(plan, request, v.precision_bits);
  add_costs(result, rates_of(request));
  plan.client.form = request.form;
  plan.client.public_key = request.public_key;
  if (auto note = note_precision(v.network.vectors.back().bound, typical_output(graph, v.network),
                                 v.precision_bits, request.precision_bits <= 0))
    result.notes.push_back(std::move(*note));
  if (!v.limited_by.empty())
    result.notes.push_back(fmt::format(
        "precision of {:.1f} bits, the best that can be reached, in place of {:.0f}: most error comes "
        "from {}",
        v.search.best.scaling.precision_bits, kBoundBits, v.limited_by));
  auto settled = request;
  settled.precision_bits = v.precision_bits;
  result.choices = explain_choices(plan, v.stages, v.levels, v.search, schedule, settled);
  if (pools) result.choices.push_back(*pools);
  return result;
}

std::uint64_t batches_for(const ClientPlan& plan, std::uint64_t images) {
  const auto each = images_per_batch(plan);
  return std::max<std::uint64_t>(1, (images + each - 1) / each);
}

// One thread's seconds for the whole job.
double job_seconds(const PlanResult& result, const Request& request) {
  return result.plan.total.seconds * static_cast<double>(batches_for(result.plan.client, request.batch));
}

// What a packing is chosen by: the same, and the inputs' way to the server, in which its threads wait
// (docs/decisions/020). A link of 10 Gbit/s is faster than most have, so that bytes decide only between
// packings that take about as long.
constexpr double kLinkBytes = 1.25e9;  // a second
double job_rank(const PlanResult& result, const Request& request) {
  const auto& plan = result.plan;
  const double sent = input_bytes(plan.client) * static_cast<double>(batches_for(plan.client, request.batch));
  return job_seconds(result, request) + std::max(plan.threads, 1) * sent / kLinkBytes;
}

PackingOption option_of(const PlanResult& result, const Request& request, const std::string& what) {
  const auto& plan = result.plan;
  const auto images =
      std::max<std::uint64_t>(1, request.batch ? request.batch : images_per_batch(plan.client));
  PackingOption o;
  o.blocks = plan.client.blocks;
  o.n = plan.client.params.n;
  o.what = what;
  o.images_per_batch = images_per_batch(plan.client);
  o.batches = batches_for(plan.client, request.batch);
  o.seconds = plan.total.seconds * static_cast<double>(o.batches) / std::max(plan.threads, 1);
  o.seconds_per_image = o.seconds / static_cast<double>(images);
  o.peak_bytes = plan.peak_bytes;
  o.key_bytes = key_file_bytes(plan.client);
  o.input_bytes_per_image =
      input_bytes(plan.client) * static_cast<double>(o.batches) / static_cast<double>(images);
  return o;
}

std::uint64_t count_products(const Network& network) {
  std::uint64_t products = 0;
  for (const auto& stage : network.stages) products += count_products(network, stage);
  return products;
}

// A choice of layouts that may be planned.
struct BlockOption {
  const Network* network = nullptr;
  LayoutChoice choice;
  bool tried = false, too_large = false;  // for the memory
};

// Two ways to come to the same layouts.
bool same_option(const BlockOption& a, const BlockOption& b) {
  const auto same_layout = [](const BlockLayout& x, const BlockLayout& y) { return x.element == y.element; };
  return a.network == b.network && a.choice.products == b.choice.products &&
         a.choice.switches == b.choice.switches && a.choice.blocks == b.choice.blocks &&
         a.choice.giants == b.choice.giants && a.choice.slices == b.choice.slices &&
         std::ranges::equal(a.choice.layouts, b.choice.layouts, same_layout);
}

// All numbers of blocks that can pay, and the plan that is fastest for the job (job_rank).
class PackingSearch {
 public:
  PackingSearch(const model::Graph& graph, const Request& request) : graph_(graph), request_(request) {}

  PlanResult run() {
    try_all();
    if (!best_ && no_parameters_ && request_.precision_bits <= 0) {
      // Only where no packing reaches the usual precision: less of it.
      shortfall_ = Shortfall::accepted;
      try_all();
    }
    if (!best_) fail_user("{}", problem_);
    best_->options = std::move(options_);
    return std::move(*best_);
  }

 private:
  void try_all() {
    problem_.clear();
    if (request_.packing != Packing::blocks && request_.packing != Packing::channels) try_batch();
    if (wants_blocks()) try_blocks();
  }

  bool wants_blocks() const {
    if (request_.packing == Packing::blocks || request_.packing == Packing::channels) return true;
    return request_.packing == Packing::automatic && request_.batch > 0 &&
           request_.ring == ckks::RingType::real;
  }

  void keep(PlanResult result, const std::string& what) {
    options_.push_back(option_of(result, request_, what));
    const double rank = job_rank(result, request_);
    if (best_ && rank >= best_rank_) return;
    best_ = std::move(result);
    best_rank_ = rank;
  }

  // Whether there is such a plan; `what` is read once it is made.
  template <typename Make>
  bool attempt(const std::string& what, Make&& make) {
    try {
      if (request_.tick) request_.tick();
      keep(make(), what);
      return true;
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::user) throw;
      if (trying_ == Trying::parameters) no_parameters_ = true;
      if (trying_ == Trying::memory) short_of_memory_ = true;
      if (problem_.empty()) problem_ = e.what();
      return false;
    }
  }

  void try_batch() {
    attempt("one element a ciphertext", [&] {
      std::optional<Choice> pools;
      trying_ = Trying::parameters;
      const auto variant = best_variant(graph_, request_, pools, shortfall_);
      trying_ = Trying::memory;
      return finish_plan(graph_, request_, variant, pools);
    });
  }

  // With scalar weights where blocks agree; where their 16 bits are not precise enough, with none.
  Variant variant_in_blocks(const BlockOption& o) const {
    for (const auto scalars : {ScalarWeights::kept, ScalarWeights::by_block}) {
      auto network = map_blocks(*o.network, o.choice.layouts, o.choice.giants, scalars, o.choice.slices);
      try {
        auto variant = search_variant(graph_, std::move(network), request_, shortfall_);
        if (variant.search.best.n < std::size_t{o.choice.blocks} * 8)
          fail_user("{} blocks do not fit a ring of dimension {}", o.choice.blocks, variant.search.best.n);
        return variant;
      } catch (const Error& e) {
        if (scalars == ScalarWeights::by_block || e.kind() != ErrorKind::user) throw;
      }
    }
    fail("plan: unreachable");
  }

  // Inputs, products and key switches of a batch, times the batches that the job takes in a ring like the one
  // of the option that was planned last, or before any of a batch of one element a ciphertext.
  double estimate(const LayoutChoice& c) const {
    const double images = static_cast<double>(std::max<std::uint64_t>(1, request_.batch));
    return std::ceil(images * c.blocks / static_cast<double>(likely_ring_)) *
           (static_cast<double>(c.products) + kProductsASwitch * static_cast<double>(c.switches) +
            kProductsAnInput * c.layouts.front().ciphertexts);
  }

  // One thread's seconds for the job, before there is a schedule.
  double predicted(const Variant& v) const {
    const auto each = std::max<std::uint64_t>(1, v.search.best.n / v.network.blocks);
    return v.search.best.seconds * std::ceil(static_cast<double>(std::max<std::uint64_t>(1, request_.batch)) /
                                             static_cast<double>(each));
  }

  // The ways to lower the network that differ, composed pools last.
  std::vector<Network> lowered() const {
    std::vector<Network> all;
    if (any_pool_of_sums(graph_)) all.push_back(lower(graph_, Pools::sums));
    if (any_pool_before_products(graph_)) all.push_back(lower(graph_, Pools::values));
    all.push_back(lower(graph_));
    // What has many times the products of another way is not even laid out: that alone takes minutes.
    std::vector<std::uint64_t> products;
    products.reserve(all.size());
    for (const auto& network : all) products.push_back(count_products(network));
    const auto least = *std::ranges::min_element(products);
    for (std::size_t i = all.size(); i-- > 0;)
      if (products[i] > kFewProducts && products[i] > kTooManyProducts * least)
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    // Once for all the layouts that they will be mapped to.
    for (auto& network : all)
      parallel_for(network.stages.size(), [&](std::size_t s, int) {
        network.stages[s].coherence = channel_coherence(network, network.stages[s]);
      });
    return all;
  }

  // All layouts that may be planned. Laying out a large network takes longer than planning one of them: it is
  // done once.
  void lay_out() {
    if (!networks_.empty()) return;
    networks_ = lowered();
    struct Lowering {
      const Network* network;
      std::uint32_t blocks;
    };
    std::vector<Lowering> ways;
    for (std::uint32_t blocks = least_blocks(networks_.back()); blocks <= most_blocks(networks_.back());
         blocks *= 2)
      for (const auto& network : networks_) ways.push_back({&network, blocks});
    // Counting what each takes is seconds of a large network's planning.
    std::vector<std::vector<LayoutChoice>> choices(ways.size());
    parallel_for(ways.size(),
                 [&](std::size_t i, int) { choices[i] = layouts_for(*ways[i].network, ways[i].blocks); });
    for (std::size_t i = 0; i < ways.size(); ++i)
      std::erase_if(choices[i],
                    [&](const auto& c) { return !keeps_sums(*ways[i].network, c.layouts, c.giants); });
    for (std::size_t i = 0; i < ways.size(); ++i)
      for (auto& c : choices[i]) {
        BlockOption option{ways[i].network, std::move(c)};
        const auto is_option = [&](const BlockOption& o) { return same_option(o, option); };
        if (std::ranges::none_of(block_options_, is_option)) block_options_.push_back(std::move(option));
      }
  }

  // Pools of squares can be kept as steps where their weights are the same in all blocks. Finding parameters
  // takes seconds each: the most promising options are planned, or all where they are asked for.
  void try_blocks() {
    if (request_.ring != ckks::RingType::real)
      fail_user(
          "blocks need the real ring, --ring standard was asked for; leave out --ring, or ask for --packing "
          "batch");
    lay_out();
    auto& all = block_options_;
    for (auto& option : all) option.tried = option.too_large = false;
    if (all.empty() && problem_.empty()) problem_ = "no layout in blocks suits the network";
    likely_ring_ = best_ ? best_->plan.client.params.n : 16384;
    short_of_memory_ = false;
    // Options that do not fit, into the memory above all, leave their place to others; those of the same
    // network that hold more ciphertexts than one that did not need not be tried.
    for (std::size_t planned = 0, tried = 0, left = all.size(); left > 0; --left) {
      auto* next = &all.front();
      double least = std::numeric_limits<double>::infinity(), least_left = least;
      for (auto& o : all) {
        if ((o.too_large || (o.choice.few_copies && !short_of_memory_)) && !request_.frontier) continue;
        const double e = estimate(o.choice);
        least = std::min(least, e);
        if (o.tried || e >= least_left) continue;
        least_left = e;
        next = &o;
      }
      if (std::isinf(least_left)) break;
      if (!request_.frontier && (planned == kMostPlanned || tried == kMostTried ||
                                 (planned > 0 && least_left > kFarSlower * least)))
        break;
      next->tried = true;
      const bool made = attempt(next->choice.what, [&] {
        trying_ = Trying::parameters;
        const auto variant = variant_in_blocks(*next);
        trying_ = Trying::speed;
        likely_ring_ = variant.search.best.n;
        if (!request_.frontier && predicted(variant) > kClearlySlower * best_rank_ && best_) {
          ++planned;
          fail_user("{} blocks would be slower", next->choice.blocks);
        }
        trying_ = Trying::memory;
        auto result = finish_plan(graph_, request_, variant, std::nullopt);
        ++planned;
        return result;
      });
      if (made || trying_ != Trying::memory) {
        ++tried;
        continue;
      }
      next->too_large = true;
      for (auto& o : all)
        o.too_large = o.too_large || (o.network == next->network && o.choice.held > next->choice.held);
    }
  }

  std::uint32_t largest_map(const Network& net) const {
    std::int64_t most = 1;
    for (std::size_t v = 1; v < net.vectors.size(); ++v)
      if (net.vectors[v].shape.size() == 3)
        most = std::max(most, net.vectors[v].shape[1] * net.vectors[v].shape[2]);
    return static_cast<std::uint32_t>(most);
  }

  // Whole channels: a block for each position of the largest map.
  std::uint32_t least_blocks(const Network& net) const {
    if (request_.blocks) return request_.blocks;
    std::uint32_t least = 16;
    if (request_.packing == Packing::channels)
      while (least < largest_map(net)) least *= 2;
    return least;
  }
  // A ring of 2^16 holds so many blocks, and few images need no more than fill it.
  std::uint32_t most_blocks(const Network& net) const {
    if (request_.blocks) return request_.blocks;
    std::uint32_t elements = 1;
    for (const auto& v : net.vectors) elements = std::max(elements, v.elements);
    std::uint32_t most = 16;
    while (most < elements && most < 8192) most *= 2;
    if (request_.batch > 0)
      while (most > 16 && std::uint64_t{most} * request_.batch > 8 * (std::uint64_t{1} << request_.max_log_n))
        most /= 2;
    return std::max(most, least_blocks(net));
  }

  static constexpr std::size_t kMostPlanned = 3, kMostTried = 12;
  static constexpr std::uint64_t kTooManyProducts = 3, kFewProducts = 10'000'000;
  static constexpr double kFarSlower = 2;         // an estimate is off by less
  static constexpr double kClearlySlower = 1.05;  // a schedule moves a prediction by less
  const model::Graph& graph_;
  const Request& request_;
  std::optional<PlanResult> best_;
  double best_rank_ = 0;
  std::size_t likely_ring_ = 16384;
  std::string problem_;
  Shortfall shortfall_ = Shortfall::refused;
  // What is being tried, and what has failed for some packing: less precision does not mend a lack of memory.
  enum class Trying : std::uint8_t { parameters, speed, memory } trying_ = Trying::parameters;
  bool no_parameters_ = false, short_of_memory_ = false;
  std::vector<PackingOption> options_;
  std::vector<Network> networks_;           // lowered for blocks, each in another way
  std::vector<BlockOption> block_options_;  // of these networks
};

}  // namespace

PlanResult make_plan(const model::Graph& graph, const Request& request) {
  check_request(request);
  check_sizes(graph, request.memory_bytes);
  require_ranges(graph);
  auto result = PackingSearch(graph, request).run();
  const auto each = images_per_batch(result.plan.client);
  if (request.batch > each)
    result.notes.push_back(fmt::format("{} images take {} batches of up to {}", request.batch,
                                       batches_for(result.plan.client, request.batch), each));
  if (request.statistics) result.plan.client.statistics = model::statistics_of(graph);
  seal_plan(result.plan);
  verify_plan(result.plan);
  return result;
}

}  // namespace velum::plan
