#!/usr/bin/env python3
"""Checks that no include points from a room to one below it (docs/design.md, "The rooms").

A file of src/ belongs to the room that its folder names. It may include its own room and the rooms it is allowed to
see; everything else is an error, printed as file:line. With --self-test the rules themselves are tested.
"""
import pathlib
import re
import sys

# Rooms in their order: each sees itself and all before it, less what SEPARATE keeps apart.
ORDER = ["base", "kernels", "ring", "ckks/core", "ckks/client", "ckks/eval", "model", "plan", "engine", "data",
         "report", "train", "cli"]

# Pairs (room, hidden from it) that stand in order but must not meet: what the server runs never sees the secret key,
# a data set and a report know no cryptography, and the command runs the trainer as a program of its own.
SEPARATE = {("ckks/eval", "ckks/client"), ("plan", "ckks/client"), ("engine", "ckks/client"),
            ("plan", "ckks/eval"), ("model", "kernels"), ("model", "ring"), ("model", "ckks/core"),
            ("model", "ckks/client"), ("model", "ckks/eval"), ("cli", "train"),
            *(("data", room) for room in ORDER if room not in ("base", "data")),
            *(("report", room) for room in ORDER if room not in ("base", "model", "report")),
            *(("train", room) for room in ("kernels", "ring", "ckks/core", "ckks/client", "ckks/eval", "engine"))}

# Kernel variants: each may lean on the readable one, none on another processor's. Only sources at the top of the
# room (the table) know the variants.
VARIANTS = ["kernels/ref", "kernels/avx2", "kernels/avx512"]

# Libraries that have one home.
LIBRARIES = {"torch/": {"train"}, "onnx/": {"model"}, "google/protobuf": {"model"}, "CLI/": {"cli", "train"},
             "png.h": {"data"}, "jpeglib.h": {"data"}, "zlib.h": {"data"}}

# Sources of the server's program: no client room, no ONNX reader.
SERVER_PROGRAM = re.compile(r"^cli/infer_")
SERVER_HIDDEN = ("ckks/client/", "model/onnx.h", "model/execute.h", "data/", "report/", "cli/client_")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def room_of(path):
    parts = path.split("/")
    if parts[0] == "ckks":
        return "/".join(parts[:2])
    return parts[0]


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
    wanted = room_of(target)
    if wanted not in ORDER:
        return f'"{target}" is in no room; include files as "room/name.h"'
    if room not in ORDER:
        return f"{source} is in no room"
    if ORDER.index(wanted) > ORDER.index(room):
        return f"{room} includes {wanted}, which stands below it"
    if (room, wanted) in SEPARATE:
        return f"{room} includes {wanted}, which is kept apart from it"
    mine, theirs = variant_of(source), variant_of(target)
    if theirs and mine != theirs:
        if mine and theirs != "kernels/ref":
            return f"kernel variant {mine} includes {theirs}"
        if not mine and (room != "kernels" or source.endswith(".h")):
            return f"{source} includes {theirs}; only the table's sources know the variants"
    if SERVER_PROGRAM.match(source) and target.startswith(SERVER_HIDDEN):
        return f"{source} is part of the server's program and may not see {target}"
    return None


def check(root):
    faults, files = [], 0
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        files += 1
        source = path.relative_to(root / "src").as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            why = fault(source, match.group(2), match.group(1) == '"')
            if why:
                faults.append(f"src/{source}:{number}: {why}")
    return faults, files


def self_test():
    good = [("ckks/client/a.cpp", "ckks/core/keys.h"), ("engine/a.cpp", "plan/plan.h"),
            ("kernels/table.cpp", "kernels/avx2/avx2.h"), ("kernels/avx512/a.cpp", "kernels/ref/ref.h"),
            ("cli/run_command.cpp", "ckks/client/client.h")]
    bad = [("ckks/eval/a.cpp", "ckks/client/client.h"), ("ckks/client/a.cpp", "ckks/eval/evaluator.h"),
           ("engine/a.cpp", "ckks/client/client.h"), ("plan/a.cpp", "engine/engine.h"),
           ("kernels/avx512/a.cpp", "kernels/avx2/avx2.h"), ("ring/ring.h", "kernels/ref/ref.h"),
           ("base/a.cpp", "unknown/a.h"), ("cli/infer_main.cpp", "ckks/client/client.h"),
           ("cli/infer_main.cpp", "model/onnx.h"), ("data/a.cpp", "model/graph.h"), ("report/a.cpp", "plan/plan.h"),
           ("cli/infer_main.cpp", "report/metrics.h")]
    for source, target in good:
        assert fault(source, target, True) is None, (source, target, fault(source, target, True))
    for source, target in bad:
        assert fault(source, target, True), (source, target)
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
