#!/usr/bin/env bash
# Runs one example from a clean copy of what it may use, and looks that it leaves nothing in that copy.
#   run_example.sh SOURCE NAME BIN
set -euo pipefail
source=$1 name=$2 bin=$3
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$source/examples" "$copy/examples"
ln -s "$source/models" "$copy/models"
before=$(cd "$copy" && find . -type f | sort)
# Rates that the user may have calibrated must not change what is tested.
code=0
(cd "$copy" && PATH="$bin:$PATH" VELUM_RATES=builtin PYTHONDONTWRITEBYTECODE=1 bash "examples/$name/run.sh") || code=$?
after=$(cd "$copy" && find . -type f | sort)
if [ "$before" != "$after" ]; then
  echo "the example left files in its own folder:"
  diff <(echo "$before") <(echo "$after") || true
  exit 1
fi
exit "$code"
