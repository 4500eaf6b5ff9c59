#!/usr/bin/env bash
# models/cifar10.onnx: scnn (five activations) with element-wise quadratics on CIFAR-10 (10 minutes on two cores).
#   VELUM_DATA=DIR tools/train_cifar10.sh [SEED]
source "$(dirname "$0")/train_env.sh"
need_data cifar10/data_batch_1.bin
train cifar10 models/cifar10.onnx --data "cifar10:$VELUM_DATA/cifar10" --net scnn --activation element \
  --seed "${1:-1}" --epochs 30 --flip --shift 3 --weight-decay 0.01 --label-smoothing 0.05 --range-penalty 0.5 --threads 2
