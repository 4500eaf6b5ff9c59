// The data owner's half: keys, encryption, decryption. CMake target velum::client.
#pragma once

#include <memory>

#include "velum/detail/client_plan.h"
#include "velum/detail/images.h"

namespace velum {

/// Decrypted outputs.
struct Outputs {
  std::string batch;           ///< Id of the batch that they answer.
  std::size_t images = 0;      ///< Rows.
  std::size_t width = 0;       ///< Numbers of an image: ClientPlan::outputs().
  std::vector<double> values;  ///< [image][output], in the units that the network gives.
  /// Those of one image, 0 <= image < images.
  std::span<const double> of(std::size_t image) const {
    return std::span(values).subspan(image * width, width);
  }
};

/// Bytes of a secret: locked in memory where the system's limits allow it, left out of core dumps, and wiped
/// when they die. They move, and are copied by nobody but the caller.
class SecretBytes {
 public:
  /// So many zeros, to be written to: a key can be read from elsewhere straight into them.
  explicit SecretBytes(std::size_t size);
  SecretBytes(SecretBytes&&) noexcept;             ///< Moves; the other one is empty then.
  SecretBytes& operator=(SecretBytes&&) noexcept;  ///< Moves, and wipes what was here.
  ~SecretBytes();                                  ///< Wipes them.

  /// All of them, for as long as this object lives and is not moved from.
  std::span<std::uint8_t> bytes();
  ByteView bytes() const;  ///< The same, to be read.

  /// @cond detail
  struct State;

 private:
  std::unique_ptr<State> state_;
  /// @endcond
};

/// How a client works.
struct ClientOptions {
  int threads = 0;  ///< 0: as many as this process may use.
};

/// Where save_keys() put the files.
struct KeyFiles {
  std::string secret;      ///< `secret/secret.key`: stays with its owner.
  std::string evaluation;  ///< `public/eval.keys`: for the server.
  /// `public/public.key`: for whoever encrypts for the owner; empty where none was asked for.
  std::string public_key;
  std::uint64_t evaluation_bytes = 0;  ///< Size of that file.
  std::uint64_t public_bytes = 0;      ///< Size of that file, or 0.
  double seconds = 0;                  ///< Making the keys.
};

/// What save_keys() writes.
struct KeyOptions {
  bool replace = false;     ///< Replace keys that are there; otherwise they are an Error: what was encrypted
                            ///< under a key can only be read with that key.
  bool public_key = false;  ///< Write `public.key` too. Needs ClientPlan::public_key().
};

/// Keys of one plan and what is done with them. Owns all that it refers to; may be moved, and used from
/// several threads at once. Secrets are kept in memory that is locked, left out of core dumps and wiped.
class Client {
 public:
  /// With a fresh secret key.
  static Client create(ClientPlan plan, const ClientOptions& options = {});
  /// With the secret key of a file, which nobody but its owner may be allowed to read. Throws Error: another
  /// plan's parameters, damaged, or readable by others.
  static Client load(ClientPlan plan, const std::string& secret_key, const ClientOptions& options = {});
  /// The same from memory: the bytes of that file, from a vault or a database, say. They stay the caller's,
  /// who keeps them where no core dump and no swap finds them, and wipes them (SecretBytes does). No copy of
  /// them is kept but the key.
  static Client from_secret_key(ClientPlan plan, ByteView secret_key, const ClientOptions& options = {});
  /// With a public key alone: can encrypt, and nothing else. Throws Error where the plan does not allow for
  /// it (ClientPlan::public_key()).
  static Client load_public(ClientPlan plan, const std::string& public_key,
                            const ClientOptions& options = {});
  /// The same from memory.
  static Client from_public_key(ClientPlan plan, ByteView public_key, const ClientOptions& options = {});
  Client(Client&&) noexcept;             ///< Moves.
  Client& operator=(Client&&) noexcept;  ///< Moves.
  ~Client();                             ///< Wipes the keys.

  /// As given.
  const ClientPlan& plan() const;
  /// Names the secret key, tells nothing about it: 32 hexadecimal digits.
  std::string key_id() const;
  /// Whether it can decrypt, and make keys.
  bool has_secret() const;

  /// Fresh evaluation keys for the server, as the file `eval.keys`: ClientPlan::evaluation_key_bytes() bytes.
  /// The functions that need the secret key throw Error without it.
  Bytes evaluation_keys(const Monitor& monitor = {}) const;
  /// The secret key, as the file `secret.key`, for who keeps it elsewhere: from_secret_key() reads it.
  SecretBytes secret_key() const;
  /// A fresh public key, as the file `public.key`. Throws Error where the plan does not allow for it.
  Bytes public_key() const;
  /// Writes `secret/secret.key` (mode 0600, in a folder of mode 0700), fresh `public/eval.keys`, and
  /// `public/public.key` if asked for, to a folder: all of them or none. What may travel is in `public`, what
  /// stays in `secret`.
  KeyFiles save_keys(const std::string& folder, const KeyOptions& options = {},
                     const Monitor& monitor = {}) const;

  /// Encrypts at least one image, as many as there are: the file that a server evaluates,
  /// ClientPlan::input_bytes(count) bytes. Every call draws its randomness anew. Throws Error naming image
  /// and element where a value is not a number or outside the range that the plan was made for.
  Bytes encrypt(const Images& images, const Monitor& monitor = {}) const;
  /// The same into a file, without holding it in memory.
  BatchInfo encrypt_to_file(const Images& images, const std::string& path, const Monitor& monitor = {}) const;
  /// ClientPlan::unlike() of the plan.
  std::vector<std::size_t> unlike(const Images& images) const;

  /// The server's results. `sent`: the batch that they should answer, or its first 124 bytes; empty: any of
  /// this key. Throws Error: another key or batch, damage, or results beyond what the plan allows for, of
  /// which none is right.
  Outputs decrypt(ByteView results, ByteView sent = {}, const Monitor& monitor = {}) const;
  /// The same of files; `sent` may be empty.
  Outputs decrypt_file(const std::string& results, const std::string& sent = "",
                       const Monitor& monitor = {}) const;

  /// Throws Error where decrypt_file() would, as far as can be seen without decrypting.
  void check_results(const std::string& results, const std::string& sent = "") const;

  /// @cond detail
  struct State;
  explicit Client(std::unique_ptr<State> state);
  const State& state() const { return *state_; }

 private:
  std::unique_ptr<State> state_;
  /// @endcond
};

}  // namespace velum
