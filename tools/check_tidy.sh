#!/usr/bin/env bash
# Every C++ source passes clang-tidy with the checks of .clang-tidy: one warning fails. Debian 12's version 14 gives the verdict.
#
#   tools/check_tidy.sh              all of src with its headers and the public ones, fuzz and examples; but no source that
#                                    includes libtorch, whose headers clang 14 does not parse in C++20
#   tools/check_tidy.sh ROOM...      these folders of src only (base, ckks, session/...)
#   tools/check_tidy.sh --since REV  only what changed since the commit REV, with all sources that include a changed header
#
#   VELUM_TIDY_BUILD=build/release   the build folder whose compile_commands.json says how sources are compiled
#   JOBS=N                           so many at a time (all cores)
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
command -v clang-tidy > /dev/null || { echo "clang-tidy is missing: tools/setup.sh fuzz installs it" >&2; exit 2; }
build=${VELUM_TIDY_BUILD:-build/release}
[ -f "$build/compile_commands.json" ] || { echo "check_tidy: no $build/compile_commands.json; make configure writes it" >&2; exit 2; }
# One source includes a header that the build writes.
cmake --build "$build" --target velum_commit > /dev/null

# The sources, one a line. Those of src are in the build's list.
choose() {
  python3 - "$build" "$@" << 'EOF'
import json, os, pathlib, re, subprocess, sys

build, arguments = sys.argv[1], sys.argv[2:]
root = pathlib.Path.cwd()
listed = {os.path.relpath(os.path.join(c["directory"], c["file"]), root)
          for c in json.load(open(f"{build}/compile_commands.json"))}
beside = {path.as_posix() for folder in ("fuzz", "examples") for path in pathlib.Path(folder).rglob("*.cpp")}
sources = {path for path in listed if path.startswith("src/")} | beside

# What a file includes, itself and by others: names of the repository stand below one of these folders.
known = {}
def direct(path):
    if path not in known:
        names = re.findall(r'^\s*#\s*include\s*["<]([^">]+)[">]', pathlib.Path(path).read_text(), re.M)
        known[path] = ({f"{folder}/{name}" for name in names for folder in ("src", "include", "tests", "fuzz")
                        if os.path.isfile(f"{folder}/{name}")}, any(name.startswith("torch/") for name in names))
    return known[path]
def reached(path):
    """All of these files, and whether libtorch is among what they include."""
    todo, seen, torch = [path], set(), False
    while todo:
        at = todo.pop()
        if at not in seen:
            seen.add(at)
            inner, has_torch = direct(at)
            todo += inner
            torch = torch or has_torch
    return seen, torch
sources = {path for path in sources if not reached(path)[1]}

if arguments[:1] == ["--since"]:
    if len(arguments) != 2:
        sys.exit("check_tidy: --since takes one commit")
    changed = set(subprocess.run(["git", "diff", "--name-only", arguments[1], "--"], check=True, capture_output=True,
                                 text=True).stdout.split("\n"))
    changed |= set(subprocess.run(["git", "ls-files", "--others", "--exclude-standard"], check=True, capture_output=True,
                                  text=True).stdout.split("\n"))
    if ".clang-tidy" not in changed:
        sources = {path for path in sources if reached(path)[0] & changed}
elif arguments:
    folders = [f"src/{a.strip('/').removeprefix('src/')}" for a in arguments]
    for folder in folders:
        if not any(path.startswith(folder + "/") for path in sources):
            sys.exit(f"check_tidy: no source in {folder}")
    sources = {path for path in sources if path.startswith(tuple(f + "/" for f in folders))}
# Those that take longest first, so that no core waits for one at the end.
for path in sorted(sources, key=lambda p: -os.path.getsize(p)):
    print(path)
EOF
}

check() {  # SOURCE
  local how=(-p "$TIDY_BUILD") out
  case "$1" in
    # Compiled with flags of their own, and without libtorch, which the trainer's precompiled header brings to all others of its room.
    src/train/loops/*) ;;
    fuzz/* | examples/* | src/train/*) how=(-- -std=c++20 -Isrc -Iinclude -Itests -Ifuzz -DFMT_SHARED) ;;
  esac
  # It counts on its error output what it suppressed in headers of others.
  if ! out=$(clang-tidy --quiet --warnings-as-errors='*' "$1" "${how[@]}" 2> /dev/null) || [ -n "$out" ]; then
    printf '%s\n' "$out"
    echo "check_tidy: $1 fails" >&2
    return 1
  fi
}
export -f check
export TIDY_BUILD=$build

list=$(choose "$@")
[ -n "$list" ] || { echo "check_tidy: nothing changed that it looks at"; exit 0; }
if ! xargs -d '\n' -P "${JOBS:-$(nproc)}" -n 1 bash -c 'check "$1"' _ <<< "$list"; then
  echo "check_tidy: see the warnings above" >&2
  exit 1
fi
echo "check_tidy: $(wc -l <<< "$list") sources, no warning"
