#!/usr/bin/env python3
"""Checks that no include points from a room to one below it (docs/design.md, "Who may know whom"), and none of a public header to
anything but the standard library. Examples and integrations stand on the public headers alone.

A file of src/ belongs to the room that its folder names. It may include its own room and the rooms it is allowed to
see; everything else is an error, printed as file:line. A source of examples/ or integrations/ may include the standard
library, the public headers outside velum/detail and headers in its own folder; a server's, of the public ones its own
alone. With --self-test the rules themselves are tested.
"""
import pathlib
import re
import sys

# Rooms in their order: each sees itself and all before it, less what SEPARATE keeps apart.
ORDER = ["base", "system", "kernels", "ring", "ckks/core", "ckks/client", "ckks/eval", "model", "plan", "engine",
         "data", "report", "session", "train", "bench", "cli"]

# The planner's stages, each a folder of its room; each sees those before it and the headers at the top of the room (the
# plan itself, what its values mean, the planner's functions). The sources at the top run all of them. Other rooms see the
# top and what the engine obeys.
STAGES = ["plan/schedule", "plan/lower", "plan/layout", "plan/choose", "plan/emit", "plan/file"]
OPEN_STAGES = {"plan/schedule"}

# Pairs (room, hidden from it) that stand in order but must not meet: what the server runs never sees the secret key,
# a data set and a report know no cryptography, the command runs the trainer as a program of its own, and what is
# pure arithmetic asks nothing of the machine it runs on.
SEPARATE = {("ckks/eval", "ckks/client"), ("plan", "ckks/client"), ("engine", "ckks/client"),
            ("plan", "ckks/eval"), ("model", "kernels"), ("model", "ring"), ("model", "ckks/core"),
            ("model", "ckks/client"), ("model", "ckks/eval"), ("cli", "train"),
            *((room, "system") for room in ("kernels", "ring", "ckks/core", "ckks/client", "ckks/eval",
                                              "plan")),
            *(("data", room) for room in ORDER if room not in ("base", "system", "data")),
            *(("report", room) for room in ORDER if room not in ("base", "system", "model", "report")),
            ("session", "data"), ("train", "session"), ("bench", "data"), ("bench", "report"),
            *(("train", room) for room in ("kernels", "ring", "ckks/core", "ckks/client", "ckks/eval", "engine"))}

# Kernel variants: each may lean on the readable one, none on another processor's. Only sources at the top of the
# room (the table) know the variants.
VARIANTS = ["kernels/ref", "kernels/avx2", "kernels/avx512"]

# Libraries that have one home.
LIBRARIES = {"torch/": {"train", "bench"}, "onnx/": {"model"}, "google/protobuf": {"model"}, "CLI/": {"cli", "train", "bench"},
             "png.h": {"data"}, "jpeglib.h": {"data"}, "zlib.h": {"data"}}

# The planner: what chooses a plan, and what is said of it. Who reads a plan and runs it links nothing of it.
PLANNER = ("plan/passes.h", "plan/summary.h", "plan/meaning.h", "plan/schedule/schedule.h", "plan/schedule/cost.h",
           "plan/schedule/rates.h")

# Sources with less to see than their room. The server's program and half of the session: no client room, no ONNX reader.
# The client's half runs no network and reads none; what both halves share sees neither side. Commands that stand on the
# public functions see no keys, no engine and no planner.
# A plan names shapes and has statistics of images; of networks there is nothing in it.
NETWORKS = ("model/graph.h", "model/onnx.h", "model/execute.h", "model/class_names.h")

SERVER_HIDDEN = ("ckks/client/", *NETWORKS, "data/", "report/", "session/client", "session/local",
                 *PLANNER, "velum/client.h", "velum/model.h", "velum/velum.h")
CLIENT_HIDDEN = ("ckks/eval/", "engine/engine.h", "engine/clear.h", *NETWORKS, "session/local",
                 *PLANNER, "velum/server.h", "velum/model.h", "velum/velum.h")
NARROW = [(re.compile(r"^bench/(?!train_main)"), ("train/",)),
          (re.compile(r"^cli/infer_main"), (*SERVER_HIDDEN, "ckks/", "engine/", "plan/")),
          (re.compile(r"^cli/(keygen|encrypt|decrypt)_command"),
           ("ckks/", "engine/", "plan/", "session/local", "velum/server.h", "velum/model.h", "velum/velum.h")),
          (re.compile(r"^session/server"), SERVER_HIDDEN),
          (re.compile(r"^session/client"), CLIENT_HIDDEN),
          (re.compile(r"^session/(?!server|client|local)"),
           ("ckks/client/", "ckks/eval/", *NETWORKS, "session/client", "session/local", *PLANNER)),
          (re.compile(r"^engine/"), ("model/", *PLANNER)),
          (re.compile(r"^plan/(plan|files|key_bytes)\.|^plan/file/(serialize|identity|require|verify)|"
                      r"^plan/schedule/(memory|parts|peak|run_products|stream)\."),
           (*PLANNER, "plan/lower/", "plan/layout/", "plan/choose/", "plan/emit/", *NETWORKS))]

# The commands are users of the public headers like any other, beside rooms that know no cryptography. Who sees more, and
# what; why is in docs/decisions/016-what-a-command-sees.md.
COMMAND_SEES = ("base/", "system/", "report/", "cli/", "velum/")
COMMAND_EXCEPTIONS = {
    "cli/bench_command.cpp": ("bench/",),  # measures what lies below the public functions
    # Images from files: the public functions take arrays.
    **{f"cli/{name}": ("data/",) for name in ("data_options.h", "data_options.cpp", "image_options.h", "image_options.cpp",
                                               "predictions.cpp")},
}

# Public headers, by the folder include/: each sees only the standard library and what stands here.
PUBLIC = {"velum/detail/error.h": set(),
          "velum/detail/common.h": {"velum/detail/error.h"},
          "velum/detail/images.h": {"velum/detail/common.h"},
          "velum/detail/data_form.h": set(),
          "velum/detail/client_plan.h": {"velum/detail/common.h", "velum/detail/data_form.h", "velum/detail/images.h"},
          "velum/client.h": {"velum/detail/client_plan.h", "velum/detail/images.h"},
          "velum/server.h": {"velum/detail/client_plan.h"},
          "velum/model.h": {"velum/client.h", "velum/server.h"},
          "velum/velum.h": {"velum/client.h", "velum/model.h", "velum/server.h"}}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    parts = path.split("/")
    if parts[0] == "ckks":
        return "/".join(parts[:2])
    return parts[0]


def stage_of(path):
    folder = path.rsplit("/", 1)[0]
    return folder if folder in STAGES else None


def stage_fault(source, target):
    """The same among the planner's stages, and from other rooms into them."""
    mine, theirs = stage_of(source), stage_of(target)
    if not theirs:
        return None
    if room_of(source) != "plan":
        return None if theirs in OPEN_STAGES else f"{source} includes {target}; other rooms see the top of plan"
    if mine and STAGES.index(theirs) > STAGES.index(mine):
        return f"{mine} includes {theirs}, which stands below it"
    if not mine and source.endswith(".h") and theirs not in OPEN_STAGES:
        return f"{source} includes {theirs}; a header at the top is for every stage"
    return None


def variant_of(path):
    folder = path.rsplit("/", 1)[0]
    return folder if folder in VARIANTS else None


def fault(source, target, quoted):
    """Why `source` (path below src/) may not include `target`, or None."""
    room = room_of(source)
    if not quoted:
        for prefix, homes in LIBRARIES.items():
            if target.startswith(prefix) and room not in homes:
                return f"<{target}> belongs to {' and '.join(sorted(homes))} only"
        return None
    for pattern, hidden in NARROW:
        if pattern.match(source) and target.startswith(hidden):
            return f"{source} may not see {target}"
    if room == "cli" and not target.startswith((*COMMAND_SEES, *COMMAND_EXCEPTIONS.get(source, ()))):
        return f"{source} may not see {target}: a command uses the public headers"
    if target.startswith("velum/"):
        if target not in PUBLIC:
            return f'"{target}" is no public header'
        if room not in ("session", "cli") and (source, target) != ("base/error.h", "velum/detail/error.h"):
            return f"{room} includes {target}; public headers are for session and cli"
        return None
    wanted = room_of(target)
    if wanted not in ORDER:
        return f'"{target}" is in no room; include files as "room/name.h"'
    if room not in ORDER:
        return f"{source} is in no room"
    if ORDER.index(wanted) > ORDER.index(room):
        return f"{room} includes {wanted}, which stands below it"
    if (room, wanted) in SEPARATE:
        return f"{room} includes {wanted}, which is kept apart from it"
    if why := stage_fault(source, target):
        return why
    mine, theirs = variant_of(source), variant_of(target)
    if theirs and mine != theirs:
        if mine and theirs != "kernels/ref":
            return f"kernel variant {mine} includes {theirs}"
        if not mine and (room != "kernels" or source.endswith(".h")):
            return f"{source} includes {theirs}; only the table's sources know the variants"
    return None


def public_fault(source, target, quoted):
    """The same for a header of include/; `source` is its path below that folder."""
    if source not in PUBLIC:
        return f"{source} is no public header that is listed here"
    if not quoted:
        return f"<{target}> is not of the standard library" if "/" in target or "." in target else None
    return None if target in PUBLIC[source] else f"{source} may not see {target}"


# What stands on an installed Velum: programs like a user's. They see the standard library, the public headers that users
# include, and headers in their own folder.
OUTSIDE = ("examples", "integrations")
USERS_HEADERS = ("velum/client.h", "velum/model.h", "velum/server.h", "velum/velum.h")


def outside_fault(source, target, quoted, beside):
    """Why `source`, a program of OUTSIDE, may not include `target`, or None; `beside`: whether there is such a file."""
    if target.startswith("velum/"):
        if target not in USERS_HEADERS:
            return f"{source} includes {target}; a user's program includes {', '.join(USERS_HEADERS)}"
        # A server is to hold nothing of the secret side.
        if source.rsplit("/", 1)[-1].startswith("server") and target != "velum/server.h":
            return f"{source} includes {target}; a server includes velum/server.h only"
        return None
    if not quoted:
        return f"<{target}> is not of the standard library" if "/" in target or "." in target else None
    if not beside or "/" in target or not target.endswith(".h"):
        return f'{source} includes "{target}", which is no header beside it'
    return None


def includes_of(path):
    """(line number, target, in quotes) of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match.group(2), match.group(1) == '"'


def check(root):
    faults, files = [], 0

    def look(folder, why_of):
        nonlocal files
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            files += 1
            source = path.relative_to(root / folder).as_posix()
            for number, target, quoted in includes_of(path):
                if why := why_of(path, source, target, quoted):
                    faults.append(f"{folder}/{source}:{number}: {why}")

    look("include", lambda path, source, target, quoted: public_fault(source, target, quoted))
    look("src", lambda path, source, target, quoted: fault(source, target, quoted))
    for folder in OUTSIDE:
        look(folder, lambda path, source, target, quoted: outside_fault(source, target, quoted, (path.parent / target).is_file()))
    return faults, files


def self_test():
    good = [("ckks/client/a.cpp", "ckks/core/keys.h"), ("engine/a.cpp", "plan/plan.h"),
            ("kernels/table.cpp", "kernels/avx2/avx2.h"), ("kernels/avx512/a.cpp", "kernels/ref/ref.h"),
            ("cli/run_command.cpp", "velum/velum.h"), ("data/a.cpp", "system/file.h"),
            ("cli/bench_command.cpp", "bench/network.h"), ("cli/data_options.cpp", "data/dataset.h"),
            ("session/client.cpp", "ckks/client/client.h"), ("session/server.cpp", "engine/engine.h"),
            ("session/local_run.cpp", "ckks/client/client.h"), ("cli/keygen_command.cpp", "velum/client.h"),
            ("base/error.h", "velum/detail/error.h"), ("plan/layout/a.cpp", "plan/lower/network.h"),
            ("plan/make_plan.cpp", "plan/emit/emit.h"), ("plan/passes.h", "plan/schedule/rates.h"),
            ("plan/lower/a.cpp", "plan/plan.h"), ("engine/a.cpp", "plan/schedule/peak.h"),
            ("bench/network.cpp", "session/local_run.h"), ("plan/schedule/schedule.cpp", "plan/passes.h"),
            ("session/server.cpp", "plan/files.h"), ("session/local_model.cpp", "plan/passes.h")]
    bad = [("ckks/eval/a.cpp", "ckks/client/client.h"), ("ckks/client/a.cpp", "ckks/eval/evaluator.h"),
           ("engine/a.cpp", "ckks/client/client.h"), ("plan/a.cpp", "engine/engine.h"),
           ("kernels/avx512/a.cpp", "kernels/avx2/avx2.h"), ("ring/ring.h", "kernels/ref/ref.h"),
           ("base/a.cpp", "unknown/a.h"), ("cli/infer_main.cpp", "ckks/client/client.h"),
           ("cli/infer_main.cpp", "model/onnx.h"), ("data/a.cpp", "model/graph.h"), ("report/a.cpp", "plan/plan.h"),
           ("cli/infer_main.cpp", "report/metrics.h"), ("plan/a.cpp", "system/memory.h"),
           ("base/a.cpp", "system/file.h"), ("session/server.cpp", "ckks/client/client.h"),
           ("session/server.cpp", "session/client_batch.h"), ("session/plans.cpp", "ckks/client/client.h"),
           ("session/client.cpp", "engine/engine.h"), ("session/client.cpp", "velum/server.h"),
           ("session/a.cpp", "data/dataset.h"), ("cli/keygen_command.cpp", "ckks/client/client.h"),
           ("cli/infer_main.cpp", "velum/client.h"), ("engine/a.cpp", "velum/server.h"),
           ("cli/main.cpp", "velum/secret.h"), ("plan/lower/a.cpp", "plan/layout/pack.h"),
           ("plan/schedule/a.cpp", "plan/choose/levels.h"), ("engine/a.cpp", "plan/lower/network.h"),
           ("plan/plan.h", "plan/lower/network.h"), ("session/a.cpp", "bench/network.h"),
           ("bench/network.cpp", "cli/common.h"), ("bench/network.cpp", "train/trainer.h"),
           ("cli/plan_command.cpp", "plan/passes.h"), ("cli/inspect_command.cpp", "session/files.h"),
           ("cli/bench_command.cpp", "ckks/client/client.h"),
           ("cli/bench_command.cpp", "session/local_rates.h"), ("cli/bench_command.cpp", "model/onnx.h"),
           ("cli/plan_command.cpp", "bench/network.h"), ("cli/plan_command.cpp", "data/dataset.h"), ("engine/a.cpp", "plan/passes.h"),
           ("session/server.cpp", "plan/passes.h"), ("session/files.cpp", "plan/summary.h"),
           ("plan/file/verify.cpp", "plan/lower/network.h"), ("plan/schedule/peak.cpp", "plan/schedule/cost.h")]
    for source, target in good:
        assert fault(source, target, True) is None, (source, target, fault(source, target, True))
    for source, target in bad:
        assert fault(source, target, True), (source, target)
    assert public_fault("velum/server.h", "velum/client.h", True) and public_fault("velum/client.h", "fmt/format.h", False)
    assert public_fault("velum/client.h", "base/error.h", True) and not public_fault("velum/client.h", "memory", False)
    good = [("a/main.cpp", "velum/velum.h", False, False), ("a/main.cpp", "velum/client.h", True, False),
            ("a/main.cpp", "vector", False, False), ("a/main.cpp", "frame.h", True, True),
            ("a/server.cpp", "velum/server.h", False, False), ("a/server.cpp", "frame.h", True, True)]
    bad = [("a/main.cpp", "velum/detail/common.h", False, False), ("a/main.cpp", "velum/secret.h", False, False),
           ("a/main.cpp", "base/error.h", True, False), ("a/main.cpp", "base/error.h", False, False),
           ("a/main.cpp", "../../src/base/error.h", True, True), ("a/main.cpp", "../b/frame.h", True, True),
           ("a/main.cpp", "frame.h", True, False), ("a/main.cpp", "other.cpp", True, True),
           ("a/main.cpp", "fmt/format.h", False, False), ("a/main.cpp", "zlib.h", False, False),
           ("a/main.cpp", "unistd.h", False, False), ("a/server.cpp", "velum/client.h", False, False),
           ("a/server.cpp", "velum/model.h", False, False), ("b/c/server_compute.cpp", "velum/velum.h", True, False)]
    for source, target, quoted, beside in good:
        assert outside_fault(source, target, quoted, beside) is None, (source, target)
    for source, target, quoted, beside in bad:
        assert outside_fault(source, target, quoted, beside), (source, target)
    assert fault("plan/a.cpp", "torch/torch.h", False) and not fault("train/a.cpp", "torch/torch.h", False)


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        print("check_rooms: the rules hold on their examples")
        return 0
    root = pathlib.Path(__file__).resolve().parent.parent
    faults, files = check(root)
    for line in faults:
        print(line)
    print(f"check_rooms: {files} files, {len(faults)} includes that point the wrong way")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
