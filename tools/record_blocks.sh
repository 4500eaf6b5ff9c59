#!/usr/bin/env bash
# Measures packings side by side, from one image to a full ring, and stores the figures under results/blocks/ (15 minutes
# on 2 cores of an otherwise idle machine).
#   VELUM_DATA=DIR tools/record_blocks.sh [NAME...]     NAME: mnist, cifar10 (all)
# DIR holds mnist/ and cifar10/ (the binary batches); `velum` must be on the PATH. tools/blocks_table.py writes the
# tables from what is there.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VELUM_DATA:?set it to the folder of the data sets}"
names=("$@")
[ $# -gt 0 ] || names=(mnist cifar10)

one() {  # NAME MODEL DATA IMAGES PACKING REPEAT
  tools/record.sh "results/blocks/$1-$4-$5.json" velum bench network "$2" --data "$3" --images "$4" --batch "$4" \
    --packing "$5" --no-scaling --repeat "$6" --threads 2 --json OUT
  tools/drop_steps.py "results/blocks/$1-$4-$5.json"
}

for name in "${names[@]}"; do
  case "$name" in
    mnist)
      for images in 1 16 100 256 1000 4096; do
        one mnist models/mnist.onnx "mnist:$VELUM_DATA/mnist" "$images" auto 7
      done
      one mnist models/mnist.onnx "mnist:$VELUM_DATA/mnist" 1 channels 7
      one mnist models/mnist.onnx "mnist:$VELUM_DATA/mnist" 4096 batch 7 ;;
    cifar10)
      for images in 1 100; do
        one cifar10 models/table/cifar10-scnn-element-tamed-s1.onnx "cifar10:$VELUM_DATA/cifar10" "$images" auto 3
      done
      one cifar10 models/table/cifar10-scnn-element-tamed-s1.onnx "cifar10:$VELUM_DATA/cifar10" 1 channels 3
      one cifar10 models/table/cifar10-scnn-element-tamed-s1.onnx "cifar10:$VELUM_DATA/cifar10" 4096 batch 1 ;;
    *) echo "record_blocks: unknown name '$name'" >&2; exit 2 ;;
  esac
done
