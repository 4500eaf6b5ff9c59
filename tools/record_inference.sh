#!/usr/bin/env bash
# Measures encrypted inference of the committed models and stores the figures under results/ (10 minutes on 2 cores).
#   VELUM_DATA=DIR tools/record_inference.sh [NAME...]     NAME: mnist, infer, bench, digits, pneumonia, cifar10, kernels (all)
# DIR holds mnist/, pneumoniamnist/ and cifar10/ (the binary batches); `velum` must be on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${VELUM_DATA:?set it to the folder of the data sets}"
names=("$@")
[ $# -gt 0 ] || names=(mnist infer bench digits pneumonia cifar10 kernels)
kept=models/table  # the networks that docs/results-training.md stands on

# bench FILE MODEL DATA IMAGES: warm, the median of five runs in one process.
bench() {  # ... OPTIONS of the plan
  local name=$1 network=$2 data=$3 images=$4
  shift 4
  tools/record.sh "results/$name.json" velum bench network "$network" --data "$data" --images "$images" --batch "$images" "$@" --threads 2 --repeat 5 --no-scaling --json OUT
}

for name in "${names[@]}"; do
  case "$name" in
    mnist)     tools/record.sh results/mnist.json velum run models/mnist.onnx --data "mnist:$VELUM_DATA/mnist" --threads 2 --probe --json OUT ;;
    infer)     # The server's program alone, in a fresh process, on a full batch.
               job=$(mktemp -d)
               velum plan models/mnist.onnx --out "$job/plan" > /dev/null
               velum keygen --plan "$job/plan/client.plan" --out "$job/keys" > /dev/null
               velum encrypt --plan "$job/plan/client.plan" --key "$job/keys/secret/secret.key" --data "mnist:$VELUM_DATA/mnist" --images 8192 --out "$job/batch.vct" > /dev/null
               JOB=$job tools/record.sh results/mnist-infer.json velum infer --plan "$job/plan/server.plan" --keys "$job/keys/public/eval.keys" --in "$job/batch.vct" --out "$job/logits.vct" --threads 2 --json OUT
               rm -r "$job" ;;
    bench)     tools/record.sh results/mnist-bench.json velum bench network models/mnist.onnx --data "mnist:$VELUM_DATA/mnist" --images 8192 --threads 2 --json OUT ;;
    digits)    tools/record.sh results/digits.json velum run models/digits.onnx --data digits --threads 2 --json OUT
               bench digits-bench models/digits.onnx digits 8192 ;;
    pneumonia) network=$kept/pneumonia-lenet5-best-s1.onnx data=medmnist:$VELUM_DATA/pneumoniamnist/pneumoniamnist.npz
               # Some X-rays leave the ranges that the training images had, by up to four times.
               wide=(--calibrate "$data" --margin 3)
               tools/record.sh results/pneumonia.json velum run $network --data "$data" "${wide[@]}" --threads 2 --json OUT
               bench pneumonia-bench $network "$data" 624 "${wide[@]}"
               tools/record.sh results/pneumonia-train-split.json velum run $network --data "$data" "${wide[@]}" --split train --threads 2 --json OUT
               filled=$(mktemp -d)
               tools/fill_batch.py "$VELUM_DATA/pneumoniamnist/pneumoniamnist.npz" 16384 "$filled"
               FILLED=$filled tools/record.sh results/pneumonia-full-batch.json velum run $network --data "npy:$filled/images.npy,$filled/labels.npy" "${wide[@]}" --threads 2 --json OUT
               rm -r "$filled" ;;
    cifar10)   network=$kept/cifar10-scnn-element-kd-s1.onnx data=cifar10:$VELUM_DATA/cifar10
               # Its largest possible output is far beyond those that images have, and bits are counted from it.
               precise=(--precision 26)
               tools/record.sh results/cifar10.json velum run $network --data "$data" "${precise[@]}" --threads 2 --json OUT
               bench cifar10-bench $network "$data" 8192 "${precise[@]}" ;;
    kernels)   tools/record.sh results/kernels.json velum bench kernels --json OUT ;;
    *) echo "record_inference: unknown name '$name'" >&2; exit 2 ;;
  esac
done
