#include "velum/client.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "session/client_batch.h"
#include "session/client_keys.h"
#include "session/files.h"
#include "session/images.h"
#include "session/monitor.h"
#include "session/plan_states.h"
#include "system/file.h"
#include "system/file_set.h"

namespace velum {

namespace {

// What stays and what travels are in folders of their own: one of them can be sent whole.
const std::string kStays = "secret", kTravels = "public", kSecret = kStays + "/secret.key",
                  kEvaluation = kTravels + "/eval.keys", kPublic = kTravels + "/public.key";

std::string path_in(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

void require_public(const ClientPlan::State& s) {
  if (!s.plan.public_key)
    fail_user(
        "public key: the plan's precision leaves the noise of such an encryption out; plan again with "
        "--public-key");
}

}  // namespace

struct SecretBytes::State {
  SecretBuffer<std::uint8_t> buffer;
};

SecretBytes::SecretBytes(std::size_t size)
    : state_(std::make_unique<State>(State{SecretBuffer<std::uint8_t>(size)})) {}
SecretBytes::SecretBytes(SecretBytes&&) noexcept = default;
SecretBytes& SecretBytes::operator=(SecretBytes&&) noexcept = default;
SecretBytes::~SecretBytes() = default;

std::span<std::uint8_t> SecretBytes::bytes() {
  return state_ ? state_->buffer.span() : std::span<std::uint8_t>();
}

ByteView SecretBytes::bytes() const {
  return state_ ? ByteView(state_->buffer.span()) : ByteView();
}

struct Client::State {
  State(ClientPlan p, int t) : plan(std::move(p)), threads(t) {}

  const plan::ClientPlan& client() const { return plan.state().plan; }
  const ckks::Parameters& params() const { return plan.state().params; }
  const ckks::SecretKey& need_secret() const {
    if (!secret) fail_user("{}: a public key encrypts and does nothing else; use the secret key", name);
    return *secret;
  }
  std::unique_ptr<session::RecordEncryptor> encryptor() const {
    return secret ? session::secret_encryptor(params(), *secret)
                  : session::public_encryptor(params(), *public_key);
  }
  ckks::EvaluationKeys make_keys(const Monitor& monitor) const {
    return ckks::generate_keys(params(), need_secret(), client().keys, ring::Randomness::system(),
                               session::watched(monitor));
  }
  ckks::PublicKey make_public() const {
    require_public(plan.state());
    return ckks::generate_public_key(params(), need_secret(), ring::Randomness::system());
  }
  void encrypt(engine::BatchWriter& writer, const session::RecordEncryptor& encryptor,
               const session::Pixels& pixels, const Monitor& monitor) const {
    session::encrypt_images(writer, client(), encryptor, pixels.values, pixels.elements,
                            session::watched(monitor));
  }
  void check(const engine::BatchReader& reader, const std::string& sent) const {
    reader.require_key(need_secret().id(), name);
    if (!sent.empty())
      engine::require_answer(reader.header(), reader.path(), engine::read_batch_header(sent), sent);
  }
  Outputs decrypt(const engine::BatchReader& reader, const Monitor& monitor) const {
    Outputs out;
    out.values = session::decrypt_file(reader, client(), ckks::Decryptor(params(), need_secret()),
                                       session::watched(monitor));
    out.batch = engine::id_text(reader.header().origin.batch);
    out.images = reader.header().images;
    out.width = client().outputs;
    return out;
  }

  ClientPlan plan;
  int threads;
  std::string name = "the client's key";  // of its file, for errors
  std::optional<ckks::SecretKey> secret;
  std::optional<ckks::PublicKey> public_key;
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Client Client::create(ClientPlan plan, const ClientOptions& options) {
  auto s = std::make_unique<State>(std::move(plan), session::team_of(options.threads));
  s->secret = ckks::SecretKey::generate(s->params(), ring::Randomness::system());
  return Client(std::move(s));
}

Client Client::load(ClientPlan plan, const std::string& secret_key, const ClientOptions& options) {
  auto s = std::make_unique<State>(std::move(plan), session::team_of(options.threads));
  s->secret = session::load_secret_key(secret_key, s->params());
  s->name = secret_key;
  return Client(std::move(s));
}

Client Client::from_secret_key(ClientPlan plan, ByteView secret_key, const ClientOptions& options) {
  auto s = std::make_unique<State>(std::move(plan), session::team_of(options.threads));
  s->name = "the secret key";
  s->secret = ckks::SecretKey::from_file(secret_key, s->params(), s->name);
  return Client(std::move(s));
}

Client Client::load_public(ClientPlan plan, const std::string& public_key, const ClientOptions& options) {
  require_public(plan.state());
  auto s = std::make_unique<State>(std::move(plan), session::team_of(options.threads));
  s->public_key = session::load_public_key(public_key, s->params());
  s->name = public_key;
  return Client(std::move(s));
}

Client Client::from_public_key(ClientPlan plan, ByteView public_key, const ClientOptions& options) {
  require_public(plan.state());
  auto s = std::make_unique<State>(std::move(plan), session::team_of(options.threads));
  s->name = "the public key";
  s->public_key = ckks::PublicKey::from_file(public_key, s->params(), s->name);
  return Client(std::move(s));
}

const ClientPlan& Client::plan() const {
  return state_->plan;
}

std::string Client::key_id() const {
  return engine::id_text(state_->secret ? state_->secret->id() : state_->public_key->key_id);
}

bool Client::has_secret() const {
  return state_->secret.has_value();
}

Bytes Client::evaluation_keys(const Monitor& monitor) const {
  const ThreadScope threads(state_->threads);
  return session::evaluation_keys_file(state_->make_keys(monitor), state_->params());
}

SecretBytes Client::secret_key() const {
  const auto file = state_->need_secret().to_file();
  SecretBytes key(file.size());
  std::ranges::copy(file.span(), key.bytes().begin());
  return key;
}

Bytes Client::public_key() const {
  const ThreadScope threads(state_->threads);
  return state_->make_public().to_file(state_->params());
}

KeyFiles Client::save_keys(const std::string& folder, const KeyOptions& options,
                           const Monitor& monitor) const {
  const ThreadScope threads(state_->threads);
  const auto& secret = state_->need_secret();
  if (options.public_key) require_public(state_->plan.state());
  std::vector<std::string> names = {kSecret, kEvaluation};
  // A public key of other keys that is there would stay behind: it is looked for too.
  std::error_code error;
  const bool stale = std::filesystem::exists(path_in(folder, kPublic), error);
  if (options.public_key || (stale && !options.replace)) names.push_back(kPublic);
  FileSet files(folder, names,
                options.replace
                    ? ""
                    : "what was encrypted under a key can only be read with that key; name another folder, "
                      "move secret and public away together, or pass --force to replace both");
  std::filesystem::permissions(files.staged(kStays), std::filesystem::perms::owner_all, error);
  if (stale && !options.public_key)
    fail_user("{}: belongs to the keys that are replaced; delete it, or make a new one with --public-key",
              path_in(folder, kPublic));
  KeyFiles made;
  const Stopwatch watch;
  auto keys = state_->make_keys(monitor);
  made.seconds = watch.seconds();
  const auto evaluation = session::evaluation_keys_file(keys, state_->params());
  keys = {};
  session::save_secret_key(files.staged(kSecret), secret);
  write_file_atomically(files.staged(kEvaluation), std::span<const std::uint8_t>(evaluation));
  if (options.public_key) {
    const auto file = public_key();
    write_file_atomically(files.staged(kPublic), std::span<const std::uint8_t>(file));
    made.public_bytes = file.size();
    made.public_key = path_in(folder, kPublic);
  }
  files.commit();
  made.secret = path_in(folder, kSecret);
  made.evaluation = path_in(folder, kEvaluation);
  made.evaluation_bytes = evaluation.size();
  return made;
}

Bytes Client::encrypt(const Images& images, const Monitor& monitor) const {
  const ThreadScope threads(state_->threads);
  const auto pixels = session::pixels_of(images, state_->client().input_shape);
  const auto encryptor = state_->encryptor();
  engine::BatchWriter writer(state_->client(), state_->params(), encryptor->type(),
                             session::fresh_origin(*encryptor), pixels.count());
  state_->encrypt(writer, *encryptor, pixels, monitor);
  return writer.take();
}

BatchInfo Client::encrypt_to_file(const Images& images, const std::string& path,
                                  const Monitor& monitor) const {
  const ThreadScope threads(state_->threads);
  const auto pixels = session::pixels_of(images, state_->client().input_shape);
  const auto encryptor = state_->encryptor();
  engine::BatchWriter writer(path, state_->client(), state_->params(), encryptor->type(),
                             session::fresh_origin(*encryptor), pixels.count());
  state_->encrypt(writer, *encryptor, pixels, monitor);
  writer.commit();
  return session::batch_info(writer.header(), state_->client());
}

std::vector<std::size_t> Client::unlike(const Images& images) const {
  const ThreadScope threads(state_->threads);
  return state_->plan.unlike(images);
}

void Client::check_results(const std::string& results, const std::string& sent) const {
  state_->check({results, FileType::output_batch, state_->client(), state_->params()}, sent);
}

Outputs Client::decrypt(ByteView results, ByteView sent, const Monitor& monitor) const {
  const ThreadScope threads(state_->threads);
  const std::string what = "the results", sent_what = "the batch that was sent";
  const engine::BatchReader reader(results, what, FileType::output_batch, state_->client(), state_->params());
  reader.require_key(state_->need_secret().id(), state_->name);
  if (!sent.empty())
    engine::require_answer(
        reader.header(), what,
        engine::parse_batch_header(sent.first(std::min(sent.size(), engine::kBatchHeaderBytes)), sent_what),
        sent_what);
  return state_->decrypt(reader, monitor);
}

Outputs Client::decrypt_file(const std::string& results, const std::string& sent,
                             const Monitor& monitor) const {
  const ThreadScope threads(state_->threads);
  const engine::BatchReader reader(results, FileType::output_batch, state_->client(), state_->params());
  state_->check(reader, sent);
  return state_->decrypt(reader, monitor);
}

}  // namespace velum
