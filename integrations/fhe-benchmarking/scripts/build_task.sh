#!/usr/bin/env bash
# scripts/build_task.sh [./submission]: builds Velum's programs and the submission's own into submission/build, and
# publishes the client's half of each size's plan there. Needs no root. The harness calls it before each run: what is
# built already stays.
#   VELUM_PROGRAMS=DIR   takes `velum` and `velum-infer` from there instead of building them
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
submission=$(cd -- "${1:-$root/submission}" && pwd)
build=$submission/build
jobs=$(nproc 2>/dev/null || echo 4)
mkdir -p "$build"

if [ -z "${VELUM_PROGRAMS:-}" ]; then
  packages=$root/third_party/packages
  cmake_options=(-DCMAKE_BUILD_TYPE=Release -DVELUM_TORCH=OFF -DVELUM_BUILD_TESTS=OFF -DVELUM_WERROR=OFF)
  if [ -e "$packages/environment.sh" ]; then  # made by get_openfhe.sh where the libraries are not installed
    # shellcheck disable=SC1091
    . "$packages/environment.sh"
    cmake_options+=("${VELUM_CMAKE_OPTIONS[@]}")
  fi
  cmake -S "$submission/velum" -B "$build/velum-build" "${cmake_options[@]}" > "$build/velum-configure.log" 2>&1 || {
    tail -n 30 "$build/velum-configure.log" >&2
    exit 1
  }
  cmake --build "$build/velum-build" --parallel "$jobs" --target velum velum-infer
  VELUM_PROGRAMS=$build/velum-build/bin
fi
ln -sfn "$(realpath "$VELUM_PROGRAMS/velum")" "$build/velum"
ln -sfn "$(realpath "$VELUM_PROGRAMS/velum-infer")" "$build/velum-infer"

source=$submission/programs/pixels_to_npy.cpp
if [ ! -x "$build/pixels_to_npy" ] || [ "$source" -nt "$build/pixels_to_npy" ]; then
  "${CXX:-c++}" -std=c++20 -O2 -Wall -Wextra -o "$build/pixels_to_npy" "$source"
fi
ln -sfn ../workload.sh "$build/workload.sh"
ln -sfn ../models "$build/models"
for program in "$submission"/programs/*; do
  case "$program" in *.cpp) ;; *) install -m "$(stat -c %a "$program")" "$program" "$build/" ;; esac
done

# The client's half of each plan: what a server publishes before anybody makes keys. Made again where anything of it
# is newer.
here=$build
# shellcheck disable=SC1091
. "$build/workload.sh"
for choice in "fast 0" "fast 1" "fast 2" "fast 3" "accurate 0" "accurate 1" "accurate 2" "accurate 3"; do
  VELUM_VARIANT=${choice% *} workload "${choice#* }"
  network=$build/models/$network
  published=$build/published/$variant/$name
  newer=$(find -L "$network" "$submission/workload.sh" "$build/velum" -newer "$published/client.plan" 2>&1 || true)
  [ -e "$published/client.plan" ] && [ -z "$newer" ] && continue
  plan_to "$published.new" > "$build/plan.log" || { cat "$build/plan.log" >&2; exit 1; }
  rm -f "$published.new/server.plan"
  rm -rf "$published"
  mv "$published.new" "$published"
done
echo "[build_task] $build is ready"
