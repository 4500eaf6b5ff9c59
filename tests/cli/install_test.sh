#!/usr/bin/env bash
# Installs a build into a fresh prefix and builds a small project with find_package(velum) against it.
#   install_test.sh BUILD CONSUMER CMAKE CXX SOURCE
set -euo pipefail
build=$1 consumer=$2 cmake=$3 cxx=$4 source=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/prefix" > "$work/log" || { cat "$work/log"; exit 1; }
for file in bin/velum bin/velum-infer share/man/man1/velum.1 include/velum/velum.h include/velum/detail/error.h; do
  [ -e "$work/prefix/$file" ] || { echo "not installed: $file"; exit 1; }
done
"$work/prefix/bin/velum" --version
"$work/prefix/bin/velum" infer --help > /dev/null
"$cmake" -S "$consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_BUILD_TYPE=Release > "$work/log" || { cat "$work/log"; exit 1; }
"$cmake" --build "$work/build" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
found=$(cd "$work/prefix/include" && find . -type f | wc -l)
[ "$found" -eq 9 ] || { echo "9 headers are public, $found are installed"; exit 1; }
"$work/build/consumer" "$source/models/digits.onnx" || exit 1
# A program with the server's half alone holds nothing that knows a secret key; one with both does.
secret='ckks::SecretKey\|ckks::Decryptor\|ckks::Encryptor\|ckks::generate_keys\|ckks::generate_public_key\|velum::Client::'
nm -C "$work/build/consumer_server" > "$work/symbols"
grep -q "velum::Server::evaluate" "$work/symbols" || { echo "the server's program has no server in it"; exit 1; }
! grep "$secret" "$work/symbols" || { echo "the server's program holds the above"; exit 1; }
nm -C "$work/build/consumer" > "$work/symbols"
grep -q "$secret" "$work/symbols" || { echo "the search for secrets is blind"; exit 1; }
# The server's half alone, where neither protobuf nor the ONNX library is found: nothing of them, and no planner, is in it.
"$cmake" -S "$consumer/../server_consumer" -B "$work/server" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_BUILD_TYPE=Release > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$cmake" --build "$work/server" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
reader='onnx\|google::protobuf\|plan::make_plan\|model::execute'
nm -C "$work/server/server" > "$work/symbols"
grep -q "velum::Server::evaluate" "$work/symbols" || { echo "the server's program has no server in it"; exit 1; }
! grep "$secret\|$reader" "$work/symbols" || { echo "the server's program holds the above"; exit 1; }
nm -C "$work/build/consumer" > "$work/symbols"
for name in onnx google::protobuf plan::make_plan model::execute; do
  grep -q "$name" "$work/symbols" || { echo "the search for $name is blind"; exit 1; }
done
echo "a project that finds velum builds and runs"
