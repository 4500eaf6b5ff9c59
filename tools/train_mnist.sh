#!/usr/bin/env bash
# models/mnist.onnx: the CryptoNets-class network with element-wise quadratics on MNIST (2 minutes on one core).
#   VELUM_DATA=DIR tools/train_mnist.sh [SEED]
source "$(dirname "$0")/train_env.sh"
need_data mnist
# Small layers: a second thread costs more in waiting than it gives.
train mnist models/mnist.onnx --data "mnist:$VELUM_DATA/mnist" --net cryptonets --activation element --seed "${1:-1}" \
  --epochs 40 --all-data --shift 1.5 --rotate 10 --scale 0.1 --shear 8 --elastic 0.5 --range-penalty 0.5 --threads 1
