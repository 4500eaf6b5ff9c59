#!/usr/bin/env bash
# Every C++ file of the repository is as clang-format writes it (the rules are in .clang-format). 77: it is not here.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format > /dev/null || { echo "clang-format is missing: tools/setup.sh fuzz installs it"; exit 77; }
git ls-files -z -- '*.h' '*.cpp' | xargs -0 clang-format --dry-run --Werror
echo "check_format: $(git ls-files -- '*.h' '*.cpp' | wc -l) files"
