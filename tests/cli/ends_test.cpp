// How commands end: their streams, keys, signals and limits. What was asked for is there, or is said not to
// be.
#include <filesystem>

#include "cli/ends.h"
#include "model/onnx.h"

namespace velum::test {
namespace {

namespace fs = std::filesystem;

TEST_F(Ends, AStdoutThatTakesNothingIsAFailure) {
  prepare();
  const std::vector<std::string> commands = {"velum --help",
                                             "velum --version",
                                             "velum infer --help",
                                             "velum plan model.onnx",
                                             "velum inspect model.onnx",
                                             "velum eval model.onnx " + kData,
                                             "velum run model.onnx " + kData,
                                             "velum keygen --plan plan/client.plan --out other",
                                             encrypt + "--out b.vct",
                                             infer + "--out l.vct",
                                             decrypt + "--out p.csv",
                                             "velum bench make-model dense-96x3 --out m.onnx"};
  for (const auto& command : commands)
    for (const std::string end : {" >/dev/full", " >&-"}) {
      fs::remove_all(path("other"));
      const auto outcome = w.run(command + end);
      EXPECT_EQ(outcome.code, 1) << command << end;
      EXPECT_EQ(lines(outcome.err).size(), 1u) << command << end << "\n" << outcome.err;
      EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << command << end << "\n"
                                                                        << outcome.err;
    }
  // The files are whole all the same.
  EXPECT_TRUE(w.exists("l.vct"));
  EXPECT_EQ(w.read("p.csv").rfind("index,", 0), 0u);
}

TEST_F(Ends, AnStderrThatTakesNothingChangesNoCode) {
  for (const std::string end : {" 2>/dev/full", " 2>&-"}) {
    EXPECT_EQ(w.run("velum plan nothing.onnx" + end).code, 2) << end;
    EXPECT_EQ(w.run("velum inspect model.onnx" + end).code, 0) << end;
  }
}

TEST_F(Ends, CountsAreWholeNumbers) {
  prepare();
  for (const std::string count : {"-1", "-5", "18446744073709551616", "''", "1e3", "2.5", "0x10"}) {
    refuses("velum run model.onnx " + kData + " --images " + count, 2, "--images");
    refuses("velum run model.onnx --data digits --data-seed " + count, 2, "--data-seed");
    refuses(infer + "--out o --threads " + count, 2, "--threads");
  }
  for (const std::string size : {"-1", "''", "1.5.2GiB", "99999999999999999999"})
    refuses(infer + "--out o --memory " + size, 2, "--memory");
}

TEST_F(Ends, LabelsAreClassesOfTheNetwork) {
  prepare();
  for (const std::int32_t bad : {3, 1000}) {
    auto labels = w.labels();
    labels[7] = bad;
    w.write("bad.npy", npy_int32(labels));
    refuses("velum run model.onnx --data npy:images.npy,bad.npy --out o", 2, "image 7 has");
    refuses("velum eval model.onnx --data npy:images.npy,bad.npy --out o", 2, "image 7 has");
    refuses(decrypt + "--data npy:images.npy,bad.npy --out o", 2, "image 7 has");
  }
}

TEST_F(Ends, DecryptedValuesAreTheirOwnersAlone) {
  prepare();
  w.must("umask 0; " + decrypt + "--out p.csv --json p.json; velum run model.onnx " + kData +
         " --out r.csv --json r.json --html r.html; velum eval model.onnx " + kData + " --out e.csv");
  // e.csv holds clear values, which reveal no key, but they too are findings about people named by their
  // files.
  for (const char* file : {"p.csv", "p.json", "r.csv", "r.json", "r.html", "e.csv", "keys/secret/secret.key"})
    EXPECT_EQ(mode(file), 0600u) << file;
}

TEST_F(Ends, AKeyThatOthersCanReadIsRefused) {
  prepare();
  w.must("chmod 644 keys/secret/secret.key");
  refuses(decrypt + "--out p.csv", 2, "keys/secret/secret.key: others");
  refuses(encrypt + "--out b.vct", 2, "chmod 600");
  refuses("velum inspect keys/secret/secret.key", 2, "keys/secret/secret.key: others");
  w.must("chmod 400 keys/secret/secret.key; " + decrypt + "--out p.csv");
}

TEST_F(Ends, KeysComeInPairs) {
  w.plan();
  w.keygen();
  const std::string again = "velum keygen --plan plan/client.plan --out keys";
  refuses(again, 2, "keys/secret/secret.key: exists");
  // As the message advises, but by half.
  w.must("mkdir kept; mv keys/secret kept");
  refuses(again, 2, "keys/public/eval.keys: exists");
  w.must("mv keys/public kept; " + again);
  w.must(
      "velum inspect kept/secret/secret.key | grep '^key ' >a; velum inspect kept/public/eval.keys | grep "
      "'^key ' >b; cmp "
      "a b");
  w.must(again + " --force");
  w.must(
      "velum inspect keys/secret/secret.key | grep '^key ' >c; velum inspect keys/public/eval.keys | grep "
      "'^key ' >d; cmp "
      "c d");
  EXPECT_NE(w.read("a"), w.read("c"));
  EXPECT_EQ(mode("keys/secret/secret.key"), 0600u);
  EXPECT_EQ(mode("keys/secret"), 0700u);
}

// Every one that says it made keys is right about it.
TEST_F(Ends, OfManyAtOnceOneMakesTheKeys) {
  w.plan();
  for (const std::string folder : {"new", "there"}) {
    w.must("mkdir -p there; for i in 1 2 3 4; do (velum keygen --plan plan/client.plan --out " + folder +
           " >out.$i 2>/dev/null; echo $? >code.$i) & done; wait");
    int made = 0;
    for (const std::string i : {"1", "2", "3", "4"}) {
      if (w.read("code." + i) != "0\n") continue;
      ++made;
      const auto key = lines(w.read("out." + i)).at(0).substr(4);
      for (const std::string file : {"secret/secret.key", "public/eval.keys"})
        EXPECT_NE(w.must("velum inspect " + folder + "/" + file).out.find(key), std::string::npos) << file;
    }
    EXPECT_EQ(made, 1) << folder;
    EXPECT_EQ(w.must("ls -A " + folder).out, "public\nsecret\n");
  }
}

// A folder where eval.keys cannot be replaced keeps its secret key.
TEST_F(Ends, AForceThatFailsLeavesTheOldKey) {
  w.plan();
  w.keygen();
  // The second rename fails: its target is a folder that is not empty, in a place where it cannot be moved
  // either.
  if (::geteuid() == 0) {
    w.must(
        "rm keys/public/eval.keys; mkdir -p keys/public/eval.keys; mount -t tmpfs none keys/public/eval.keys "
        "2>/dev/null || true");
    if (w.run("mountpoint -q keys/public/eval.keys").code != 0) GTEST_SKIP() << "no mounts here";
    const auto before = w.read("keys/secret/secret.key");
    const auto outcome = w.run("velum keygen --plan plan/client.plan --out keys --force");
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.err.find("as they were before"), std::string::npos) << outcome.err;
    EXPECT_EQ(w.read("keys/secret/secret.key"), before);
    EXPECT_EQ(w.must("ls -A keys keys/secret keys/public").out,
              "keys:\npublic\nsecret\n\nkeys/public:\neval.keys\n\nkeys/secret:\nsecret.key\n");
    w.must("umount keys/public/eval.keys");
  } else {
    GTEST_SKIP() << "needs root";
  }
}

TEST_F(Ends, PlansComeInPairs) {
  w.plan();
  const auto before = w.read("plan/client.plan");
  w.must("velum plan model.onnx --security 256 --out plan");
  EXPECT_NE(w.read("plan/client.plan"), before);
  EXPECT_EQ(w.must("ls -A plan").out, "client.plan\nserver.plan\n");
  w.must("trap '' XFSZ; ulimit -f 1; velum plan model.onnx --out small || true");
  EXPECT_FALSE(w.exists("small"));
}

// Each signal, while the command is in the middle of a file.
TEST_F(Ends, SignalsLeaveNothing) {
  w.must("velum plan " VELUM_SOURCE_DIR "/models/digits.onnx --out plan");
  w.keygen();
  const auto before = w.files();
  for (const std::string signal : {"INT", "TERM", "HUP", "QUIT"}) {
    // A shell starts what is in its background with some of them ignored; env gives them back.
    const auto outcome = w.run(
        "env --default-signal velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data "
        "digits "
        "--images 2000 "
        "--out batch.vct --threads 1 & child=$!\n"
        "for i in $(seq 1000); do [ -n \"$(find . -name '*.tmp' -size +1k)\" ] && break; sleep 0.01; done\n"
        "kill -" +
        signal + " $child; wait $child; echo $? >&2");
    EXPECT_EQ(w.files(), before) << signal << outcome.err;
    EXPECT_GT(std::stoi("0" + lines(outcome.err).back()), 128) << outcome.err;
  }
}

// Nothing can be done in the moment of a SIGKILL: the next command that writes there does it.
TEST_F(Ends, WhatAKillLeavesGoesWithTheNextWrite) {
  w.must("velum plan " VELUM_SOURCE_DIR "/models/digits.onnx --out plan");
  w.keygen();
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data digits --images 2000 --out "
      "batch.vct "
      "--threads 1 & child=$!\n"
      "for i in $(seq 1000); do [ -n \"$(find . -name '*.tmp' -size +1k)\" ] && break; sleep 0.01; done\n"
      "kill -KILL $child; wait $child; ls -A | grep '^.velum-.*tmp$'");
  // A set of keys or plans, too.
  w.must("mkdir .velum-0badcafe.tmp; touch .velum-0badcafe.tmp/secret.key");
  w.must(
      "velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data digits --images 1 --out "
      "batch.vct");
  EXPECT_EQ(w.must("ls -A").out, "batch.vct\nimages.npy\nkeys\nlabels.npy\nmodel.onnx\nplan\n");
}

TEST_F(Ends, ALimitOnFilesIsAnError) {
  prepare();
  refuses("ulimit -f 16; " + encrypt + "--out full.vct", 1, "full.vct: writing failed");
}

TEST_F(Ends, ALimitOnThreadsMeansFewerThreads) {
  prepare();
  if (::geteuid() != 0) GTEST_SKIP() << "needs another user's count of processes";
  // Of a user that has no other process; as root there is no such limit.
  w.must("chmod -R a+rwX .");
  const std::string user = "setpriv --reuid=54321 --clear-groups ";
  if (w.run(user + "true").code != 0 || w.run(user + "velum --version").code != 0)
    GTEST_SKIP() << "no other user can run the commands here";
  w.must("chown 54321 keys/secret/secret.key; chmod 600 keys/secret/secret.key; chown 54321 .");
  const auto outcome = w.run("prlimit --nproc=2 " + user + infer + "--out l.vct --threads 8");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("note: 2 threads in place of 8"), std::string::npos) << outcome.err;
  EXPECT_TRUE(w.exists("l.vct"));
}

TEST_F(Ends, LinkLoopsOfADataSetAreSaidInOneLine) {
  w.must("mkdir -p set/cat; ln -s loop set/cat/loop; ln -s round round");
  for (const std::string data : {"folder:set", "folder:round", "npy:round", "mnist:round"}) {
    const auto outcome = w.run("velum run model.onnx --data " + data);
    EXPECT_EQ(outcome.code, 2) << data;
    EXPECT_EQ(lines(outcome.err).size(), 1u) << outcome.err;
    EXPECT_EQ(outcome.err.find("filesystem error"), std::string::npos) << outcome.err;
  }
}

// As a keygen that was killed half-way leaves them: the next command has both of the new keys, or both of the
// old.
TEST_F(Ends, KeysOfAKilledKeygenAreRead) {
  prepare();
  w.must("cp -r keys old; velum keygen --plan plan/client.plan --out new");
  // Killed after the first of two moves.
  w.must("mkdir keys/.velum-pending; cp -r new/secret keys/.velum-pending/; cp new/public/* keys/public/");
  w.must(encrypt + "--out b.vct");
  EXPECT_EQ(w.read("keys/secret/secret.key"), w.read("new/secret/secret.key"));
  EXPECT_FALSE(w.exists("keys/.velum-pending"));
  w.must("velum infer --plan plan/server.plan --keys keys/public/eval.keys --in b.vct --out l.vct");
  // Before the first: the server's command sees to it too, and so does keygen, which then finds keys.
  for (const std::string& command :
       {std::string(
            "velum infer --plan plan/server.plan --keys keys/public/eval.keys --in b.vct --out l.vct"),
        std::string("! velum keygen --plan plan/client.plan --out keys 2>/dev/null"),
        std::string("velum inspect keys/secret/secret.key")}) {
    w.must("cp -r old/* keys/; mkdir keys/.velum-pending; cp -r new/* keys/.velum-pending/");
    w.must(command);
    EXPECT_EQ(w.read("keys/secret/secret.key"), w.read("new/secret/secret.key")) << command;
    EXPECT_EQ(w.read("keys/public/eval.keys"), w.read("new/public/eval.keys")) << command;
  }
}

// 6 GiB that take no room on the disk, under a limit of 3 GB on addresses.
TEST_F(Ends, HugeFilesOfNothingAreRefusedAtOnce) {
  prepare();
  const auto spread = [&](const std::string& file, const std::string& head) {
    w.write(file, head);
    fs::resize_file(path(file), std::uint64_t{6} << 30);
  };
  spread("zeros", "");
  spread("plan.huge", w.read("plan/server.plan"));
  spread("keys.huge", w.read("keys/public/eval.keys"));
  spread("net.huge", w.read("model.onnx"));
  fs::resize_file(path("net.huge"), std::uint64_t{2000} << 20);
  // All of it in one field that no reader knows: an outline without a fault.
  w.write("net.holes",
          w.read("model.onnx") + std::string("\xa2\x06\x80\x80\x80\x80\x04", 7));  // 100: 2^30 bytes
  fs::resize_file(path("net.holes"), fs::file_size(path("net.holes")) + (std::uint64_t{1} << 30));
  w.must("chmod 600 zeros");
  const std::string limit = "ulimit -v 3000000; ";
  for (const std::string file : {"zeros", "net.huge", "net.holes"}) {
    const std::string says = file == "zeros" ? "an ONNX file has at most" : "were never written";
    for (const std::string command : {"velum inspect ", "velum plan "}) {
      const auto outcome = w.run(limit + command + file);
      EXPECT_EQ(outcome.code, 2) << command << file << outcome.err;
      EXPECT_NE(outcome.err.find(says), std::string::npos) << outcome.err;
    }
  }
  for (const std::string& command :
       {std::string("velum inspect plan.huge"), std::string("velum inspect keys.huge"),
        std::string("velum keygen --plan zeros --out k"),
        std::string("velum infer --plan plan.huge --keys keys/public/eval.keys --in batch.vct --out o"),
        std::string("velum infer --plan plan/server.plan --keys keys.huge --in batch.vct --out o"),
        std::string("velum infer --plan plan/server.plan --keys keys/public/eval.keys --in zeros --out o"),
        std::string("velum decrypt --plan plan/client.plan --key zeros --in logits.vct --out o")}) {
    const auto outcome = w.run(limit + command);
    EXPECT_EQ(outcome.code, 2) << command << outcome.err;
    EXPECT_EQ(outcome.err.find("out of memory"), std::string::npos) << command << outcome.err;
  }
}

// A name in a file can neither command the terminal nor pass for a line of Velum's.
TEST_F(Ends, NamesFromFilesAreOnlyText) {
  auto graph = w.graph();
  const std::string forged = "\nsecurity               256 bits";
  graph.name = "tiny" + forged + "\x1b[31m";
  graph.nodes[1].name = "layer" + forged + "\x1b[2J";
  graph.metadata["made by\x1b[1m"] = "nobody" + forged;
  model::save_onnx(graph, w.folder() + "/forged.onnx");
  for (const std::string command :
       {"velum inspect forged.onnx", "velum plan forged.onnx --explain --out plan",
        "velum inspect plan/client.plan", "velum inspect plan/server.plan",
        "velum run forged.onnx --data npy:images.npy,labels.npy --probe",
        "velum eval forged.onnx --data npy:images.npy,labels.npy"}) {
    const auto outcome = w.must(command);
    EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << outcome.out;
    for (const auto& line : lines(outcome.out)) EXPECT_NE(line, forged.substr(1)) << command;
  }
}

}  // namespace
}  // namespace velum::test
