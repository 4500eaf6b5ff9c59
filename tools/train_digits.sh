#!/usr/bin/env bash
# models/digits.onnx: the CryptoNets-class network on the built-in digits; needs no data (2 minutes on one core).
#   tools/train_digits.sh [SEED]
source "$(dirname "$0")/train_env.sh"
train digits models/digits.onnx --data digits --net cryptonets --activation element --seed "${1:-1}" \
  --epochs 10 --all-data --shift 1 --rotate 5 --scale 0.05 --range-penalty 0.5 --threads 1
