#!/usr/bin/env bash
# Measures kernels, networks and the planner's predictions and stores the figures under results/bench/ (15 minutes on 2
# cores of an otherwise idle machine).
#   VELUM_DATA=DIR tools/record_bench.sh [NAME...]
#   NAME: rates, kernels, mnist, pneumonia, cifar10, ngraph, deep, batch, width, depth (all; rates first: the planner
#   predicts by what it leaves in results/bench/rates.json)
# DIR holds mnist/, pneumoniamnist/ and cifar10/ (the binary batches); `velum` must be on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VELUM_DATA:?set it to the folder of the data sets}"
names=("$@")
[ $# -gt 0 ] || names=(rates kernels mnist pneumonia cifar10 ngraph deep batch width depth)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VELUM_RATES=results/bench/rates.json
[ -f "$VELUM_RATES" ] || export VELUM_RATES=builtin

network() {  # FILE MODEL ARGUMENTS: one network at 1..all threads
  local file=$1 model=$2
  shift 2
  tools/record.sh "results/bench/$file.json" velum bench network "$model" "$@" --json OUT
}
# A network with random weights. The record names the command that makes it.
random() {  # FILE NAME ARGUMENTS
  local file=$1 name=$2
  shift 2
  velum bench make-model "$name" --out "$work/$name.onnx" > /dev/null
  VELUM_MODELS=$work network "$file" "$work/$name.onnx" "$@"
}
cifar=(--data "cifar10:$VELUM_DATA/cifar10" --split train)

for name in "${names[@]}"; do
  case "$name" in
    rates)     mkdir -p results/bench
               VELUM_RATES=builtin tools/record.sh results/bench/calibration.json velum bench calibrate --rates results/bench/rates.json --json OUT
               export VELUM_RATES=results/bench/rates.json ;;
    kernels)   tools/record.sh results/bench/kernels.json velum bench kernels --json OUT ;;
    mnist)     network mnist models/mnist.onnx --data "mnist:$VELUM_DATA/mnist" --repeat 15 ;;
    pneumonia) data=medmnist:$VELUM_DATA/pneumoniamnist/pneumoniamnist.npz
               network pneumonia models/table/pneumonia-lenet5-best-s1.onnx --data "$data" --calibrate "$data" --margin 3 --split train --repeat 3 --memory 12GiB ;;
    cifar10)   network cifar10 models/table/cifar10-scnn-element-kd-s1.onnx "${cifar[@]}" --precision 26 --repeat 1 --memory 12GiB ;;
    ngraph)    random cifar10-ngraph cifar10-ngraph "${cifar[@]}" --repeat 3 --memory 8GiB ;;
    deep)      random cifar10-deep cifar10-deep "${cifar[@]}" --repeat 1 --memory 14GiB ;;
    batch)     for images in 1 512 2048 8192; do
                 network "batch-$images" models/mnist.onnx --data "mnist:$VELUM_DATA/mnist" --images "$images" --no-scaling
               done ;;
    width)     for width in 64 128 256 512 1024; do
                 python3 tools/drawn_vectors.py "$work/x.npy" 64 "$width"
                 random "width-$width" "dense-${width}x2" --data "npy:$work/x.npy" --no-scaling
               done ;;
    depth)     for depth in 1 2 3 4 5 6 7; do
                 python3 tools/drawn_vectors.py "$work/x.npy" 64 64
                 random "depth-$depth" "dense-64x$depth" --data "npy:$work/x.npy" --no-scaling
               done ;;
    *) echo "record_bench: unknown name '$name'" >&2; exit 2 ;;
  esac
done
