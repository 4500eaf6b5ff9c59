#!/usr/bin/env bash
# Builds every fuzz target and runs each for some seconds on its committed seeds; fails where one crashes, hangs or
# takes too much memory. The input that did it is left in build/fuzz/crashes.
#
#   tools/fuzz.sh [SECONDS [TARGET...]]    SECONDS: 20, or FUZZ_SECONDS; TARGET: idx, npz, ... (all)
#   FUZZ_SEED=S                            the inputs' random seed (0: another one every time)
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in
  -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
seconds=${1:-${FUZZ_SECONDS:-20}}
shift || true
build=${FUZZ_BUILD:-build/fuzz}
command -v clang++ >/dev/null || { echo "fuzz.sh: clang++ is missing: apt-get install clang" >&2; exit 2; }

launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
mkdir -p "$build"
if ! cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ "${launcher[@]}" \
  -DVELUM_FUZZ=ON -DVELUM_SANITIZE=fuzzer-no-link,address,undefined \
  -DVELUM_TORCH=OFF -DVELUM_BUILD_TESTS=OFF -DVELUM_WERROR=OFF > "$build/configure.log" 2>&1; then
  cat "$build/configure.log" >&2
  exit 1
fi
cmake --build "$build" --target fuzz

run_one() {
  local name=$1
  local log="$build/$name.log"
  # DCMTK reserves what the length of an element says, up to 4 GiB, and touches no more of it than the file has: the
  # limit on what is resident is the one that counts.
  local reserve=2048
  if [ "$name" = image ]; then reserve=5000; fi
  mkdir -p "$build/found/$name" "$build/crashes"
  if "$build/fuzz/fuzz_$name" -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb="$reserve" -max_len=16384 \
    -artifact_prefix="$build/crashes/$name-" -print_final_stats=1 "$build/found/$name" "fuzz/corpus/$name" \
    > "$log" 2>&1; then
    echo "fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, no defect"
  else
    tail -n 40 "$log" >&2
    echo "fuzz $name: FAILED; the input is in $build/crashes, the whole log in $log" >&2
    return 1
  fi
}

failed=0
if [ $# -eq 0 ]; then
  for program in "$build"/fuzz/fuzz_*; do
    if [ -x "$program" ] && [ -f "$program" ]; then set -- "$@" "${program##*/fuzz_}"; fi
  done
fi
for name in "$@"; do run_one "$name" || failed=1; done
exit $failed
