#!/usr/bin/env bash
# A C++ program of one's own: Velum is installed into a folder, and a project finds it there with find_package(velum).
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

command -v cmake > /dev/null || skip "cmake is not here"
build=$(cd "$(dirname "$(command -v velum)")/.." && pwd)
[ -f "$build/cmake_install.cmake" ] || skip "velum is not in a build folder: install it, and pass -DCMAKE_PREFIX_PATH by hand"

step "Install Velum into a folder (make install PREFIX=...)"
cmake --install "$build" --prefix "$work/prefix" > install.log || { tail -n 5 install.log; skip "not all of Velum is built: make build"; }
(cd prefix/include && find . -name '*.h' -not -path '*/detail/*' | sort)

step "Build a project that finds it"
cxx=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
cmake -S "$example" -B program -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Release > cmake.log ||
  { cat cmake.log; exit 1; }
cmake --build program > build.log 2>&1 || { cat build.log; exit 1; }

step "The data owner: plan, keys, an encrypted batch of three images"
mkdir -p there
show program/private_digits "$models/digits.onnx" there

step "The server: its program has no code that knows a secret key"
show program/digits_server there

step "The data owner decrypts, and compares with the network in the clear"
show program/private_digits "$models/digits.onnx" there
