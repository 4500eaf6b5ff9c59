#!/usr/bin/env bash
# Runs the large networks of docs/results-training.md encrypted on their whole test splits and stores the figures under
# results/networks/ROW.json: accuracy, macro F1, agreement, precision, time, memory, keys.
#   VELUM_DATA=DIR tools/record_networks.sh ROW...     rows are the names of configs/*.toml without the ending
#   OPTIONS="--memory 10GiB"   more options of velum run
# Their files are too large for the repository; tools/train_table.sh trains them (with AGAIN=1 SEEDS=1) into
# $VELUM_SCRATCH/table (default: build/training/table), where this script looks for ROW-s1.onnx. `velum` must be on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,8p' "$0" >&2; exit 2; }
: "${VELUM_DATA:?set it to the folder of the data sets}"
source tools/row_data.sh
scratch=${VELUM_SCRATCH:-build/training}

images() {  # images ROW: in the test split
  case "$1" in
    covid-xray-*) echo 248 ;;
    covid-ct-*) echo 690 ;;
    *) echo 10000 ;;
  esac
}

for row in "$@"; do
  network=$scratch/table/$row-s1.onnx
  [ -f "$network" ] || { echo "$0: $network is missing: train it with AGAIN=1 SEEDS=1 tools/train_table.sh $row" >&2; exit 2; }
  find_data "$row"
  VELUM_MODELS=$scratch tools/record.sh "results/networks/$row.json" velum run "$network" --data "$data" \
    --batch "$(images "$row")" ${OPTIONS:-} --threads 2 --json OUT
  tools/drop_steps.py "results/networks/$row.json"
done
