#!/usr/bin/env bash
# Every C++ file of the repository is as clang-format writes it (the rules are in .clang-format).
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format > /dev/null || { echo "clang-format is missing: tools/setup.sh fuzz installs it" >&2; exit 2; }
files() { find include src tests fuzz examples integrations -type f \( -name '*.h' -o -name '*.cpp' \) "$@"; }
files -print0 | xargs -0 clang-format --dry-run --Werror
echo "check_format: $(files | wc -l) files"
