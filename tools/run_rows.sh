#!/usr/bin/env bash
# Plans trained rows of docs/results-training.md, and runs one encrypted batch of test images with those that fit this machine:
# results/training/plan/ROW-sSEED.json and results/training/run/ROW-sSEED.json.
#   VELUM_DATA=DIR VELUM_SCRATCH=DIR tools/run_rows.sh ROW-sSEED...      networks are $VELUM_SCRATCH/table/ROW-sSEED.onnx
#   MEMORY=12GiB   what a run may take
#   PRECISION=N    bits of the output's bound; default: the planner's own
#   ALL=1          for PneumoniaMNIST: also all 5,856 images of its three splits in one batch, ROW-sSEED-all.json; one of its
#                  624 test images is 0.16 points, too coarse a measure of what encryption changes
# `velum` must be on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/row_data.sh
: "${VELUM_DATA:?set it to the folder of the data sets}" "${VELUM_SCRATCH:?set it to the folder of the trainings}"
[ $# -gt 0 ] || { sed -n '2,10p' "$0" >&2; exit 2; }
export VELUM_MODELS=$VELUM_SCRATCH/table VELUM_RATES=builtin
for name in "$@"; do
  model=$VELUM_MODELS/$name.onnx
  [ -f "$model" ] || { echo "run_rows: there is no $model; train it with tools/train_table.sh" >&2; exit 2; }
  find_data "$name"
  echo "== $name"
  mkdir -p results/training/plan results/training/run
  tools/record.sh "results/training/plan/$name.json" velum plan "$model" ${PRECISION:+--precision "$PRECISION"} --memory 1000GiB --json OUT > /dev/null
  peak=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["result"]["memory"]["peak_bytes"] >> 30)' "results/training/plan/$name.json")
  if [ "$peak" -gt 40 ]; then
    echo "planned only: it takes $peak GiB"
  elif velum plan "$model" ${PRECISION:+--precision "$PRECISION"} --memory "${MEMORY:-12GiB}" > /dev/null 2>&1; then
    tools/record.sh "results/training/run/$name.json" velum run "$model" --data "$data" ${PRECISION:+--precision "$PRECISION"} --memory "${MEMORY:-12GiB}" --json OUT
    if [ "${ALL:-0}" = 1 ] && [[ $data == medmnist:* ]]; then
      filled=$(mktemp -d)
      tools/fill_batch.py "${data#*:}" 5856 "$filled"
      FILLED=$filled tools/record.sh "results/training/run/$name-all.json" velum run "$model" --data "npy:$filled/images.npy,$filled/labels.npy" ${PRECISION:+--precision "$PRECISION"} --memory "${MEMORY:-12GiB}" --json OUT
      rm -r "$filled"
    fi
  else
    echo "planned only: it needs more than ${MEMORY:-12GiB}"
  fi
done
