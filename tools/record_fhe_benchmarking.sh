#!/usr/bin/env bash
# Measures the submission of integrations/fhe-benchmarking/ under the harness of the public board, three runs a size, and
# stores what it says under results/fhe-benchmarking/ (a few minutes, and one training of the harness's own clear model).
#   VELUM_DATA=DIR tools/record_fhe_benchmarking.sh CLONE [SIZE...]     SIZE: 0, 1, 2, 3 (all)
# VELUM_VARIANT=fast or accurate (integrations/fhe-benchmarking/submission/workload.sh) is one call each.
# CLONE is a clone of fhe-benchmarking/ml-inference, whose submission is replaced by Velum's; `velum` and `velum-infer`
# must be in VELUM_PROGRAMS (build/release/bin). What the harness's Python needs: tools/fhe_benchmarking.py --help.
# PYTHON=/usr/bin/python3 is the interpreter.
[ $# -ge 1 ] || { sed -n '2,9p' "$0" >&2; exit 2; }
set -euo pipefail
clone=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
: "${VELUM_DATA:?set it to the folder of the data sets}"
sizes=("$@")
[ $# -gt 0 ] || sizes=(0 1 2 3)
names=(single small medium large)
VELUM_PROGRAMS=$(realpath "${VELUM_PROGRAMS:-build/release/bin}")
CLONE=$clone VELUM_VARIANT=${VELUM_VARIANT:-fast}
export VELUM_PROGRAMS CLONE VELUM_VARIANT
integrations/fhe-benchmarking/install.sh "$clone"
for size in "${sizes[@]}"; do
  tools/record.sh "results/fhe-benchmarking/$VELUM_VARIANT-${names[$size]}.json" "${PYTHON:-/usr/bin/python3}" tools/fhe_benchmarking.py "$clone" \
    --size "$size" --json OUT
done
