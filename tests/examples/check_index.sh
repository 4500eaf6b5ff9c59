#!/usr/bin/env bash
# Every example has a README.md and a script that can be run, and the index names each.
set -euo pipefail
cd "$1/examples"
faults=0
for folder in */; do
  name=${folder%/}
  [ -f "$name/README.md" ] || { echo "examples/$name has no README.md"; faults=1; }
  [ -x "$name/run.sh" ] || { echo "examples/$name/run.sh is absent or cannot be run"; faults=1; }
  grep -q "($name/README.md)" README.md || { echo "examples/README.md does not name $name"; faults=1; }
done
exit "$faults"
