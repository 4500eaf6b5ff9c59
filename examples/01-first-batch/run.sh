#!/usr/bin/env bash
# A first encrypted batch: 200 images of digits, from the plan to the predictions, one command a step.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

step "The server decides parameters and a schedule, for a job of 200 images"
show velum plan "$models/digits.onnx" --batch 200 --out plan > plan.txt
cat plan.txt

step "The data owner makes the keys"
show velum keygen --plan plan/client.plan --out keys

step "The data owner encrypts 200 images"
show velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data digits --images 200 --out batch.vct

step "The server evaluates the network on what it cannot read"
show velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct --out logits.vct

step "The data owner reads the predictions, and compares them with the true classes"
show velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --sent batch.vct \
  --data digits --images 200 --out predictions.csv

step "The first predictions: image, predicted and true class, its name, a probability, the ten outputs"
head -n 4 predictions.csv
rows=$(($(wc -l < predictions.csv) - 1))
[ "$rows" -eq 200 ] || { echo "200 predictions were expected, $rows are here" >&2; exit 1; }
