#!/usr/bin/env bash
# Puts the submission into a clone of the harness (fhe-benchmarking/ml-inference), in place of the one that is there:
#   integrations/fhe-benchmarking/install.sh CLONE
# The clone's submission/ and scripts/ become Velum's, with the sources that the build needs, as committed here.
# Nothing else of the clone is touched, and nothing outside it is needed afterwards.
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2,5p' "$0" | sed 's/^# \?//' >&2; exit 2; }
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
velum=$(cd -- "$here/../.." && pwd)
clone=$(cd -- "$1" && pwd)
[ -e "$clone/harness/run_submission.py" ] || { echo "install: $clone: no harness/run_submission.py in it" >&2; exit 2; }
rm -rf "$clone/submission" "$clone/scripts"
cp -R "$here/submission" "$here/scripts" "$clone/"
mkdir -p "$clone/submission/velum" "$clone/submission/models"
cp "$velum/LICENSE" "$clone/submission/LICENSE.md"
cp "$here/Containerfile" "$clone/submission/"
# shellcheck disable=SC1091
. "$here/submission/workload.sh"
for variant in fast accurate; do
  VELUM_VARIANT=$variant workload 0
  cp "$velum/models/$network" "$clone/submission/models/"
done
# In a checkout what is committed, elsewhere (an unpacked archive) what is there.
parts=(CMakeLists.txt LICENSE README.md SECURITY.md cmake include src docs/velum.1)
if git -C "$velum" rev-parse --is-inside-work-tree > /dev/null 2>&1; then
  git -C "$velum" archive HEAD "${parts[@]}" | tar -x -C "$clone/submission/velum"
  git -C "$velum" rev-parse HEAD > "$clone/submission/velum/COMMIT"
else
  tar -c -C "$velum" "${parts[@]}" | tar -x -C "$clone/submission/velum"
fi
echo "install: Velum's submission is in $clone"
