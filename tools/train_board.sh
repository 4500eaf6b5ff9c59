#!/usr/bin/env bash
# The networks of integrations/fhe-benchmarking: models/board-one-square.onnx and models/board-two-squares.onnx, trained on
# MNIST's training images without their border (12 minutes on one core, most of it the second one's teacher).
#   VELUM_DATA=DIR tools/train_board.sh [NAME...]     NAME: one-square, two-squares (both)
# Hyper-parameters were chosen on the last 5,000 training images (CHOOSE=1: without them and without the test images; the
# networks and reports stay in VELUM_SCRATCH then).
source "$(dirname "$0")/train_env.sh"
need_data mnist
names=("$@")
[ $# -gt 0 ] || names=(one-square two-squares)

cropped() {  # cropped BORDER: sets data
  data=$scratch/mnist-without-$1
  [ -e "$data/t10k-labels-idx1-ubyte" ] || tools/crop_mnist.py "$VELUM_DATA/mnist" "$data" "$1"
}

board() {  # board NAME BORDER OPTIONS...
  local name=board-$1 out=models/board-$1.onnx report=results/training/board-$1.json choose=()
  cropped "$2"
  shift 2
  if [ "${CHOOSE:-0}" = 1 ]; then out=$scratch/$name.onnx report=$scratch/$name.json choose=(--all-data=false --skip-test); fi
  "$trainer" --config "configs/$name.toml" --data "mnist:$data" --seed 1 --out "$out" --json "$report" "${choose[@]}" "$@" \
    --note commit="$commit" --note script="tools/train_board.sh"
}

for name in "${names[@]}"; do
  case "$name" in
    one-square) board one-square 4 ;;
    two-squares)
      teacher=$scratch/board-teacher.onnx
      cropped 3
      [ -e "$teacher" ] || "$trainer" --config configs/board-teacher.toml --data "mnist:$data" --seed 1 --skip-test --out "$teacher" \
        --json "$scratch/board-teacher.json"
      board two-squares 3 --teacher "$teacher" --taught-by board-teacher ;;
    *) echo "train_board: unknown name '$name'" >&2; exit 2 ;;
  esac
done
