// The server's half: evaluates a network on encrypted batches. CMake target velum::server, which holds
// nothing that knows a secret key.
#pragma once

#include <memory>

#include "velum/detail/client_plan.h"

namespace velum {

/// The server's half of a plan: parameters, quantised weights, schedule. A value: copies are cheap.
class ServerPlan {
 public:
  /// Reads `server.plan`, and verifies all that an evaluation relies on. Throws Error.
  static ServerPlan load(const std::string& path);
  /// The same from memory; `name` names it in errors.
  static ServerPlan from_bytes(ByteView file, const std::string& name = "server plan");
  /// The file.
  Bytes to_bytes() const;
  /// Writes the file, complete or not at all.
  void save(const std::string& path) const;

  /// The half for data owners.
  ClientPlan client() const;
  /// Predicted peak memory of an evaluation with so many threads (at least 1), in bytes, keys and engine
  /// included.
  std::uint64_t peak_bytes(int threads) const;
  /// Predicted seconds of a batch with as many threads as the plan was made for.
  double predicted_seconds() const;
  /// Throws Error where so many threads need more memory than `limit` bytes, or, where that is 0, than the
  /// machine has left.
  void require_memory(int threads, std::uint64_t limit = 0) const;

  /// @cond detail
  struct State;
  explicit ServerPlan(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
  /// @endcond
};

/// The keys of a data owner that a server works with: they encrypt and decrypt nothing. A value: copies are
/// cheap.
class EvaluationKeys {
 public:
  /// Reads `eval.keys`. Throws Error: damaged, or made under another plan's parameters.
  static EvaluationKeys load(const ServerPlan& plan, const std::string& path);
  /// The same from memory; `name` names it in errors.
  static EvaluationKeys from_bytes(const ServerPlan& plan, ByteView file,
                                   const std::string& name = "evaluation keys");
  /// Names the secret key that they belong to: 32 hexadecimal digits.
  std::string key_id() const;

  /// @cond detail
  struct State;
  explicit EvaluationKeys(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
  /// @endcond
};

/// How a server works.
struct ServerOptions {
  int threads = 0;                 ///< 0: as many as this process may use.
  std::uint64_t memory_bytes = 0;  ///< Refuse to work beyond so many; 0: what the machine has.
};

/// A network and the keys of one data owner, ready to evaluate. Owns all that it refers to, and keeps its
/// memory from call to call. Calls of one server from several threads queue, and one that waits can be
/// cancelled; several servers work side by side, each with its own threads.
class Server {
 public:
  /// Throws Error: keys of other parameters, a key that the plan needs is absent, or not enough memory.
  Server(ServerPlan plan, EvaluationKeys keys, const ServerOptions& options = {});
  Server(Server&&) noexcept;             ///< Moves; no call may be under way.
  Server& operator=(Server&&) noexcept;  ///< Moves; no call may be under way.
  ~Server();                             ///< No call may be under way.

  /// As given.
  const ServerPlan& plan() const;
  /// That it uses.
  int threads() const;

  /// The results of an encrypted batch, a file as well: only the key's owner can read them. Throws Error:
  /// another plan or key, or damage. `report`, where given, is filled.
  Bytes evaluate(ByteView batch, const Monitor& monitor = {}, EvaluationReport* report = nullptr);
  /// The same from file to file, without holding either in memory.
  EvaluationReport evaluate_file(const std::string& batch, const std::string& results,
                                 const Monitor& monitor = {});

  /// @cond detail
  struct State;

 private:
  std::unique_ptr<State> state_;
  /// @endcond
};

}  // namespace velum
