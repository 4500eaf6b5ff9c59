// Where the secret key is while it is made, saved, read and used: a child process does so, stops again and
// again, and all of its memory that a core dump would hold is searched for pieces of the key, in every form
// that it takes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bitset>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_set>

#include "base/container.h"
#include "base/temp_folder.h"
#include "session/client_keys.h"
#include "session/plan_states.h"
#include "session/support.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VELUM_SANITIZED 1
#endif

namespace velum::test {
namespace {

using velum::testing::Bytes;
using velum::testing::slurp;
using velum::testing::TempFolder;

// Pieces of `window` bytes of one form of the key. So long that nothing else has them: 64 coefficients of
// three values, or four residues.
class Pieces {
 public:
  template <typename T>
  Pieces(std::string name, std::span<const T> whole, std::size_t window, std::size_t stride)
      : name_(std::move(name)), window_(window) {
    const auto raw = std::as_bytes(whole);
    bytes_.assign(reinterpret_cast<const char*>(raw.data()), raw.size());
    for (std::size_t at = 0; at + window <= bytes_.size(); at += stride) {
      if (const auto first = word(bytes_.data() + at)) {  // memory is full of zeros
        firsts_.set(slot(first));
        pieces_.emplace_back(at);
      }
    }
  }
  // The views refer to bytes_, which must not move any more.
  void index() {
    for (const auto at : pieces_) set_.insert(std::string_view(bytes_).substr(at, window_));
  }
  const std::string& name() const { return name_; }
  std::size_t window() const { return window_; }
  bool in(std::string_view memory) const {
    for (std::size_t at = 0; at + window_ <= memory.size(); at += 8) {
      const auto first = word(memory.data() + at);
      if (first && firsts_[slot(first)] && set_.contains(memory.substr(at, window_))) return true;
    }
    return false;
  }

 private:
  static std::uint64_t word(const char* at) {
    std::uint64_t w = 0;
    std::memcpy(&w, at, sizeof w);
    return w;
  }
  static std::size_t slot(std::uint64_t w) { return (w * 0x9e3779b97f4a7c15u) >> 44; }

  std::string name_;
  std::size_t window_;
  std::string bytes_;
  std::vector<std::size_t> pieces_;
  std::bitset<1 << 20> firsts_;
  std::unordered_set<std::string_view> set_;
};

using Forms = std::vector<std::unique_ptr<Pieces>>;

template <typename T>
void add(Forms& forms, const std::string& name, std::span<const T> whole, std::size_t window,
         std::size_t stride) {
  forms.push_back(std::make_unique<Pieces>(name, whole, window, stride));
  forms.back()->index();
}

Forms forms_of(const std::string& key_file, const ckks::Parameters& params) {
  Forms forms;
  const auto secret = session::load_secret_key(key_file, params);
  const auto file = slurp(key_file);
  const auto packed = std::span<const std::uint8_t>(file).subspan(kFrameHeadBytes + 32, params.n() / 4);
  add(forms, "as in the file", packed, 32, 1);
  std::vector<std::int8_t> narrow;
  for (std::size_t i = 0; i < params.n(); ++i) {
    const unsigned bits = (packed[i / 4] >> (2 * (i % 4))) & 3u;
    narrow.push_back(static_cast<std::int8_t>(bits == 3 ? -1 : static_cast<int>(bits)));
  }
  add<std::int8_t>(forms, "in bytes", narrow, 64, 1);
  const std::vector<std::int32_t> wide(narrow.begin(), narrow.end());
  add<std::int32_t>(forms, "in 32 bits", wide, 256, 4);
  for (std::size_t m = 0; m < params.ring().count(); ++m) {
    std::vector<kernels::u64> residues;
    for (const int x : wide)
      residues.push_back(x < 0 ? params.ring().q(m) - 1 : static_cast<kernels::u64>(x));
    add<kernels::u64>(forms, "modulo a prime", residues, 512, 8);
    std::vector<kernels::u64> transformed(secret.limb(m), secret.limb(m) + params.n());
    add<kernels::u64>(forms, "transformed", transformed, 32, 8);
    kernels::table().multiply(transformed.data(), transformed.data(), secret.limb(m), params.n(),
                              params.ring().modulus(m));
    add<kernels::u64>(forms, "its square, transformed", transformed, 32, 8);
  }
  return forms;
}

struct Mapping {
  unsigned long begin = 0, end = 0;
};

// What a core dump of the process would hold: all that is readable and not marked "do not dump".
std::vector<Mapping> dumped(pid_t process) {
  std::vector<Mapping> all;
  std::ifstream in("/proc/" + std::to_string(process) + "/smaps");
  Mapping now;
  bool readable = false;
  for (std::string line; std::getline(in, line);) {
    char mode[8] = {};
    if (Mapping next; std::sscanf(line.c_str(), "%lx-%lx %7s", &next.begin, &next.end, mode) == 3) {
      now = next;
      readable = mode[0] == 'r';
    }
    if (readable && line.starts_with("VmFlags:") && (line + " ").find(" dd ") == std::string::npos)
      all.push_back(now);
  }
  return all;
}

// The forms of which the process has a piece.
std::vector<std::string> found_in(pid_t process, int memory, const Forms& forms) {
  constexpr std::size_t kBlock = std::size_t{1} << 20, kOverlap = 512;
  std::vector<std::string> found;
  std::string block;
  for (const auto& m : dumped(process))
    for (auto at = m.begin; at < m.end; at += kBlock) {
      block.resize(std::min<std::size_t>(kBlock + kOverlap, m.end - at));
      const auto got = ::pread(memory, block.data(), block.size(), static_cast<off_t>(at));
      if (got <= 0) continue;  // [vvar] and its like
      block.resize(static_cast<std::size_t>(got));
      if (block.find_first_not_of('\0') == std::string::npos) continue;
      for (const auto& form : forms)
        if (form->in(block) && std::ranges::find(found, form->name()) == found.end())
          found.push_back(form->name());
    }
  return found;
}

// Tells the parent where it is, and waits until it has looked.
class Stops {
 public:
  Stops(int tell, int wait) : tell_(tell), wait_(wait) {}
  void at(char stop) const {
    if (::write(tell_, &stop, 1) != 1 || ::read(wait_, &stop, 1) != 1) ::_exit(1);
  }

 private:
  int tell_, wait_;
};

// Two squares, so that it takes switching keys.
Model deeper_model() {
  GraphBuilder b({3, 2, 2});
  auto x = b.quadratic(b.dense(b.flatten(b.input(), kElements), kElements, 8), {8});
  x = b.quadratic(b.dense(x, 8, 6), {6});
  auto graph = b.finish(b.dense(x, 6, 3));
  model::calibrate(graph, drawn_images(200), 200, 0.25);
  return Model::from_bytes(model::to_onnx(graph), "deeper.onnx");
}

// In one thread: this is after a fork.
void live(const TempFolder& folder, const Stops& stop) {
  const auto keys = folder / "keys", batch = folder / "batch", results = folder / "results";
  {
    const auto plan = deeper_model().plan({.threads = 1, .public_key = true});
    plan.save(folder / "plan");
    const auto client = Client::create(plan.client(), {.threads = 1});
    client.save_keys(keys, {.public_key = true});
    stop.at('k');
  }
  const auto plan = ServerPlan::load(folder / "plan/server.plan");
  {
    const auto client = Client::load(plan.client(), keys + "/secret/secret.key", {.threads = 1});
    stop.at('l');
    {
      const auto key = client.secret_key();
      const auto again = Client::from_secret_key(plan.client(), key.bytes(), {.threads = 1});
      stop.at('m');
    }
    const auto images = drawn_images(3);
    client.encrypt_to_file(Images::floats(images), batch);
    stop.at('e');
    Server(plan, EvaluationKeys::load(plan, keys + "/public/eval.keys"), {.threads = 1})
        .evaluate_file(batch, results);
    client.decrypt_file(results, batch);
    stop.at('d');
  }
  stop.at('g');
  const auto unprotected = slurp(keys + "/secret/secret.key");
  stop.at('u');
}

// Runs `body` in a child process and looks at its memory whenever it stops: `look` is told where it is and of
// which forms something was found. False where no other process's memory can be read.
bool watch(const std::function<void(const Stops&)>& body, const std::function<const Forms&()>& forms,
           const std::function<void(char stop, const std::vector<std::string>& found)>& look) {
  int told[2], go[2];
  if (::pipe(told) != 0 || ::pipe(go) != 0) throw std::runtime_error("no pipes");
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(told[0]);
    ::close(go[1]);
    try {
      body({told[1], go[0]});
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  ::close(told[1]);
  ::close(go[0]);
  const int memory = ::open(("/proc/" + std::to_string(child) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  for (char stop = 0; memory >= 0 && ::read(told[0], &stop, 1) == 1;) {
    look(stop, found_in(child, memory, forms()));
    if (::write(go[1], &stop, 1) != 1) break;
  }
  if (memory < 0) ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(told[0]);
  ::close(go[1]);
  if (memory < 0) return false;
  ::close(memory);
  EXPECT_EQ(status, 0);
  return true;
}

const std::map<char, std::string> kStops = {
    {'k', "keys are saved"},       {'l', "the key is read"},       {'m', "the key is passed on in memory"},
    {'e', "images are encrypted"}, {'d', "results are decrypted"}, {'g', "the key is gone"}};

TEST(SecretMemory, NoCoreDumpHoldsAnythingOfTheKey) {
#ifdef VELUM_SANITIZED
  GTEST_SKIP() << "sanitizers keep memory of their own";
#endif
  const TempFolder folder;
  Forms forms;
  std::string stops;
  const auto made = [&]() -> const Forms& {  // known once the child has saved it
    if (forms.empty()) {
      const auto plan = ServerPlan::load(folder / "plan/server.plan").client();
      forms = forms_of(folder / "keys/secret/secret.key", plan.state().params);
    }
    return forms;
  };
  const auto look = [&](char stop, const std::vector<std::string>& found) {
    stops += stop;
    if (stop == 'u')  // what this test would see
      EXPECT_EQ(found, std::vector<std::string>{"as in the file"});
    else
      for (const auto& form : found)
        ADD_FAILURE() << "when " << kStops.at(stop) << ", the key is found " << form;
  };
  if (!watch([&](const Stops& stop) { live(folder, stop); }, made, look))
    GTEST_SKIP() << "the memory of other processes cannot be read here";
  EXPECT_EQ(stops, "klmedgu");
}

// The n-th seed, which is nowhere in memory before it is asked for.
void write_seed(std::span<std::uint8_t> out, std::uint64_t n) {
  for (std::size_t i = 0; i < out.size() / 8; ++i) {
    std::uint64_t x = (4 * n + i + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    // Byte by byte, so that no compiler keeps the whole of it anywhere else.
    volatile std::uint8_t* to = out.data() + 8 * i;
    for (int b = 0; b < 8; ++b) to[b] = static_cast<std::uint8_t>(x >> (8 * b));
  }
}

[[gnu::noinline]] std::uint8_t draw(const ring::Randomness& random, bool use) {
  auto stream = random.stream({ring::Purpose::secret_key});
  std::uint8_t byte = 0;
  if (use) stream.fill({&byte, 1});
  return byte;
}

// So far down the stack that what comes next does not write over what stays there.
[[gnu::noinline]] std::uint8_t draw_deep(const ring::Randomness& random, bool use) {
  volatile std::uint8_t room[std::size_t{1} << 16];
  room[0] = draw(random, use);
  return room[0];
}

// Everything that draws secrets, with seeds in order.
void draw_all(const ckks::ParametersLiteral& literal, const std::function<void(const ring::Draw&)>& drawn,
              const std::function<void(char)>& stop) {
  std::uint64_t next = 0;
  const ring::Randomness random([&](std::span<std::uint8_t> out, const ring::Draw& draw) {
    write_seed(out, next++);
    drawn(draw);
  });
  // A function that is called for the first time is looked up by the dynamic linker, which saves all
  // registers on the stack, and the pieces of a seed that was just copied with them.
  draw_deep(ring::Randomness::system(), true);
  draw_deep(random, false);
  stop('d');
  draw_deep(random, true);
  stop('f');
  const ckks::Parameters params(literal);
  const auto secret = ckks::SecretKey::generate(params, random);
  stop('s');
  const auto keys = ckks::generate_keys(params, secret, {literal.moduli.size(), {}}, random);
  stop('k');
  const auto open = ckks::generate_public_key(params, secret, random);
  stop('p');
  const std::vector<double> slots(params.slots(), 0.5);
  const auto own = ckks::Encryptor(params, secret, random).encrypt(slots, 0x1p20, 1);
  stop('e');
  const ckks::Encoder encoder(params.ring_type(), params.n());
  const auto others = ckks::encrypt_public(params, open, encoder, slots, 0x1p20, 1, random);
  stop('o');
}

TEST(SecretMemory, SeedsOfSecretsAreWiped) {
#ifdef VELUM_SANITIZED
  GTEST_SKIP() << "sanitizers keep memory of their own";
#endif
  const auto literal = deeper_model().plan({.threads = 1}).client().state().plan.params;
  Forms forms;
  std::string stops;
  const auto secrets = [&]() -> const Forms& {  // after the fork, or the child would have them too
    std::uint64_t n = 0;
    const auto remember = [&](const ring::Draw& draw) {
      ring::Seed seed;
      write_seed(seed, n++);
      if (!ring::travels(draw.purpose))
        add<std::uint8_t>(forms, "of purpose " + std::to_string(static_cast<int>(draw.purpose)), seed, 32,
                          32);
    };
    if (forms.empty()) draw_all(literal, remember, [](char) {});
    return forms;
  };
  const auto look = [&](char stop, const std::vector<std::string>& found) {
    stops += stop;
    for (const auto& form : found) ADD_FAILURE() << "at " << stop << ", a seed is found " << form;
  };
  const auto body = [&](const Stops& stop) {
    draw_all(
        literal, [](const ring::Draw&) {}, [&](char at) { stop.at(at); });
  };
  if (!watch(body, secrets, look)) GTEST_SKIP() << "the memory of other processes cannot be read here";
  EXPECT_EQ(stops, "dfskpeo");
  EXPECT_GE(forms.size(), 9u);
}

}  // namespace
}  // namespace velum::test
