#!/usr/bin/env bash
# Installs a build into a fresh prefix and builds a small project with find_package(velum) against it.
#   install_test.sh BUILD CONSUMER CMAKE CXX
set -euo pipefail
build=$1 consumer=$2 cmake=$3 cxx=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/prefix" > "$work/log" || { cat "$work/log"; exit 1; }
for file in bin/velum bin/velum-infer share/man/man1/velum.1 include/velum/base/error.h; do
  [ -e "$work/prefix/$file" ] || { echo "not installed: $file"; exit 1; }
done
"$work/prefix/bin/velum" --version
"$work/prefix/bin/velum" infer --help > /dev/null
"$cmake" -S "$consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_BUILD_TYPE=Release > "$work/log" || { cat "$work/log"; exit 1; }
"$cmake" --build "$work/build" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
[ "$("$work/build/consumer")" = "0.500 -0.250" ] || { "$work/build/consumer"; exit 1; }
echo "a project that finds velum builds and runs"
