#include "velum/server.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/container.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "base/units.h"
#include "engine/engine.h"
#include "plan/files.h"
#include "plan/schedule/peak.h"
#include "session/evaluation_text.h"
#include "session/files.h"
#include "session/monitor.h"
#include "session/plan_states.h"
#include "session/step_table.h"
#include "system/file.h"
#include "system/memory.h"

namespace velum {

namespace {

// `ours`: bytes that this plan's objects hold already, of what it needs.
void require_memory_beside(const ServerPlan& plan, int threads, std::uint64_t limit, std::uint64_t ours) {
  const auto needed = plan.peak_bytes(threads);
  const auto free = available_memory_bytes();
  if (!limit && !free) return;  // the system does not say
  const auto available = limit ? limit : ours + *free;
  if (needed > available)
    fail("the plan needs {} of memory with {} threads, {} {}; use fewer threads, or plan again with --memory",
         format_bytes(static_cast<double>(needed)), threads, format_bytes(static_cast<double>(available)),
         limit ? "are allowed" : "are available");
}

void append_outputs(engine::BatchWriter& writer, const std::vector<ckks::Ciphertext>& outputs,
                    std::size_t first, const ckks::Parameters& params) {
  const auto bytes = writer.sealed_bytes();
  Bytes records(outputs.size() * bytes);
  parallel_for(outputs.size(), [&](std::size_t o, int) {
    const auto sealed = std::span(records).subspan(o * bytes, bytes);
    engine::pack_output(sealed.first(writer.record_bytes()), outputs[o].view(), params);
    writer.seal(sealed, first + o);
  });
  writer.append(records);
}

// Calls of one server, one after the other. (A timed mutex would do as well, but the thread sanitizer of
// g++ 12 does not see that it is locked.)
class Queue {
 public:
  // Waits until nobody is at work, and asks meanwhile whether it should.
  void enter(const Monitor& monitor) {
    constexpr std::chrono::milliseconds kBetweenQuestions{50};
    std::unique_lock<std::mutex> lock(mutex_);
    while (!left_.wait_for(lock, kBetweenQuestions, [&] { return !busy_; })) {
      lock.unlock();  // the caller may take its time to answer
      session::heed_cancel(monitor);
      lock.lock();
    }
    busy_ = true;
  }
  void leave() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      busy_ = false;
    }
    left_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  bool busy_ = false;
};

// A call's time at work.
class Turn {
 public:
  Turn(Queue& queue, const Monitor& monitor) : queue_(queue) { queue_.enter(monitor); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { queue_.leave(); }

 private:
  Queue& queue_;
};

}  // namespace

ServerPlan ServerPlan::load(const std::string& path) {
  return session::public_plan(session::load_server_plan(path));
}

ServerPlan ServerPlan::from_bytes(ByteView file, const std::string& name) {
  return session::public_plan(plan::read_server_plan(file, name));
}

Bytes ServerPlan::to_bytes() const {
  return plan::write_server_plan(state_->plan);
}

void ServerPlan::save(const std::string& path) const {
  write_file_atomically(path, to_bytes());
}

ClientPlan ServerPlan::client() const {
  return ClientPlan(std::shared_ptr<const ClientPlan::State>(state_, &state_->client));
}

std::uint64_t ServerPlan::peak_bytes(int threads) const {
  const auto& plan = state_->plan;
  const auto extra = static_cast<std::int64_t>(threads - std::max(plan.threads, 1)) *
                     static_cast<std::int64_t>(plan.workspace_bytes_per_thread);
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, static_cast<std::int64_t>(plan.peak_bytes) + extra));
}

double ServerPlan::predicted_seconds() const {
  return state_->plan.total.seconds / std::max(state_->plan.threads, 1);
}

void ServerPlan::require_memory(int threads, std::uint64_t limit) const {
  require_memory_beside(*this, threads, limit, current_rss_bytes());
}

EvaluationKeys EvaluationKeys::load(const ServerPlan& plan, const std::string& path) {
  return EvaluationKeys(std::make_shared<const State>(
      State{session::load_evaluation_keys(path, plan.state().client.params), path}));
}

EvaluationKeys EvaluationKeys::from_bytes(const ServerPlan& plan, ByteView file, const std::string& name) {
  return EvaluationKeys(std::make_shared<const State>(
      State{session::read_evaluation_keys(file, plan.state().client.params, name), name}));
}

std::string EvaluationKeys::key_id() const {
  return engine::id_text(state_->keys.key_id);
}

struct Server::State {
  State(ServerPlan p, EvaluationKeys k, int t)
      : plan(std::move(p)),
        keys(std::move(k)),
        engine(plan.state().plan, plan.state().client.params, keys.state().keys),
        threads(t) {}

  // For the call whose turn it is.
  EvaluationReport evaluate(const engine::BatchReader& reader, engine::BatchWriter& writer,
                            const Monitor& monitor, const Stopwatch& watch) {
    const bool first = !evaluated;
    const auto watched = session::watched(monitor);
    const auto& params = plan.state().client.params;
    const auto& client = plan.state().plan.client;
    const auto batches = static_cast<double>(reader.batches());
    engine::RunReport total;
    for (std::size_t b = 0; b < reader.batches(); ++b) {
      engine::RunReport report;
      engine::ProgressCallback progress;
      if (watched)
        progress = [&](double share, const std::string&) {
          watched((static_cast<double>(b) + share) / batches);
        };
      const auto outputs = engine.run(engine::FileInput(reader, b), &report, progress);
      evaluated = true;
      append_outputs(writer, outputs, b * outputs.size(), params);
      session::accumulate(total, report);
    }
    reader.require_unchanged();
    if (watched) watched(1);
    EvaluationReport r;
    r.batch = engine::id_text(reader.header().origin.batch);
    r.images = reader.header().images;
    r.batches = reader.batches();
    r.images_per_batch = plan::images_per_batch(client);
    r.slots = params.slots();
    r.threads = threads;
    r.first_run = first;
    r.evaluate_seconds = total.seconds;
    r.predicted_seconds = plan.state().plan.total.seconds / threads * batches;
    r.input_seconds = total.input_seconds;
    r.input_bytes = reader.header().file_bytes;
    r.output_bytes = writer.header().file_bytes;
    r.planned_peak_bytes = plan.peak_bytes(threads);
    r.peak_rss_bytes = peak_rss_bytes();
    r.steps = session::public_steps(total);
    r.total_seconds = watch.seconds();
    return r;
  }

  engine::BatchOrigin check(const engine::BatchReader& reader) const {
    reader.require_key(keys.state().keys.key_id, keys.state().name);
    return reader.header().origin;
  }

  ServerPlan plan;
  EvaluationKeys keys;
  engine::Engine engine;
  int threads;
  Queue queue;
  bool evaluated = false;  // a batch, so that its memory is there; belongs to the call whose turn it is
};

Server::Server(ServerPlan plan, EvaluationKeys keys, const ServerOptions& options) {
  const int team = session::team_of(options.threads);
  const auto& client = plan.state().plan.client;
  require_memory_beside(plan, team, options.memory_bytes,
                        options.memory_bytes ? 0 : plan::key_bytes(client.params, client.keys));
  const ThreadScope threads(team);
  state_ = std::make_unique<State>(std::move(plan), std::move(keys), team);
}

Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

const ServerPlan& Server::plan() const {
  return state_->plan;
}

int Server::threads() const {
  return state_->threads;
}

Bytes Server::evaluate(ByteView batch, const Monitor& monitor, EvaluationReport* report) {
  const Turn turn(state_->queue, monitor);
  const Stopwatch watch;
  const ThreadScope threads(state_->threads);
  const auto& s = state_->plan.state();
  const engine::BatchReader reader(batch, "the batch", FileType::input_batch, s.plan.client, s.client.params);
  engine::BatchWriter writer(s.plan.client, s.client.params, FileType::output_batch, state_->check(reader),
                             reader.header().images);
  auto r = state_->evaluate(reader, writer, monitor, watch);
  if (report) *report = std::move(r);
  return writer.take();
}

EvaluationReport Server::evaluate_file(const std::string& batch, const std::string& results,
                                       const Monitor& monitor) {
  const Turn turn(state_->queue, monitor);
  const Stopwatch watch;
  const ThreadScope threads(state_->threads);
  const auto& s = state_->plan.state();
  const engine::BatchReader reader(batch, FileType::input_batch, s.plan.client, s.client.params);
  engine::BatchWriter writer(results, s.plan.client, s.client.params, FileType::output_batch,
                             state_->check(reader), reader.header().images);
  auto r = state_->evaluate(reader, writer, monitor, watch);
  writer.commit();
  r.total_seconds = watch.seconds();
  return r;
}

std::string EvaluationReport::summary() const {
  const auto bytes = [](std::uint64_t count) { return format_bytes(static_cast<double>(count)); };
  return session::said("time", session::time_text(*this)) +
         session::said("memory",
                       fmt::format("{}, {} predicted", bytes(peak_rss_bytes), bytes(planned_peak_bytes))) +
         session::said("places", session::places_text(*this)) +
         session::said("sizes", session::traffic_text(*this)) +
         session::said("other times", fmt::format("reading the batch and writing the results {}",
                                                  format_duration(total_seconds - evaluate_seconds)));
}

std::string EvaluationReport::to_text() const {
  return session::layer_table(session::private_steps(*this));
}

std::string EvaluationReport::to_json() const {
  const session::Json json = {
      {"batch", batch},
      {"images", images},
      {"slots", slots},
      {"images_per_batch", images_per_batch},
      {"batches", batches},
      {"threads", threads},
      {"first_run", first_run},
      {"seconds", {{"evaluate", evaluate_seconds}, {"total", total_seconds}}},
      {"predicted_seconds", predicted_seconds},
      {"amortized_ms", images ? 1e3 * evaluate_seconds / static_cast<double>(images) : 0},
      {"bytes", {{"input", input_bytes}, {"output", output_bytes}}},
      {"peak_rss_bytes", peak_rss_bytes},
      {"planned_peak_bytes", planned_peak_bytes},
      {"input_seconds", input_seconds},
      {"layers", session::layers_json(session::private_steps(*this))}};
  return json.dump(2, ' ', false, session::Json::error_handler_t::replace) + "\n";
}

}  // namespace velum
