#!/usr/bin/env bash
# Measures BEAA's comparison, from 1 to 16,384 images in every packing, and stores the figures under results/packings/.
#   VELUM_DATA=DIR tools/record_packings.sh [NAME...]
# NAME: rates (this machine's, which the planner then predicts with: first of all), mnist-cryptonets, mnist-lenet5, cifar10-scnn,
# pneumonia-lenet5; all of them where none is named. DIR holds mnist/, cifar10/ (the binary batches) and
# pneumoniamnist/pneumoniamnist.npz; `velum` must be on the PATH. Each network is measured with element-wise activations (recipe
# beaa) in every packing, and with channel-wise ones in whole channels. tools/packings_table.py writes tables and pictures.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VELUM_DATA:?set it to the folder of the data sets}"
names=("$@")
[ $# -gt 0 ] || names=(rates mnist-cryptonets mnist-lenet5 pneumonia-lenet5 cifar10-scnn)
rates=results/packings/rates.json

cells() {  # NAME WEIGHTS DATA PACKING...
  local name=$1 weights=$2 data=$3
  shift 3
  tools/record.sh "results/packings/$name-$weights.json" tools/packing_cells.py --model "models/table/$name-$weights-s1.onnx" \
    --data "$data" --rates "$rates" --packings "$@" --json OUT
}

for name in "${names[@]}"; do
  case "$name" in
    rates)
      mkdir -p results/packings
      velum bench calibrate --repeat 3 --threads 2 --rates "$rates"
      continue ;;
    mnist-*) data="mnist:$VELUM_DATA/mnist" ;;
    cifar10-*) data="cifar10:$VELUM_DATA/cifar10" ;;
    pneumonia-*) data="medmnist:$VELUM_DATA/pneumoniamnist/pneumoniamnist.npz" ;;
    *) echo "record_packings: unknown name '$name'" >&2; exit 2 ;;
  esac
  cells "$name" element-kd "$data" auto channels batch
  cells "$name" channel "$data" channels
done
