#!/usr/bin/env bash
# One network, planned for one image, for 100 and for as many as a ring holds: what changes, and what it costs.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

step "Plans for one image, for 100, for 1,000, and (--batch 0) for as many as a ring holds"
for batch in 1 100 1000 0; do
  show velum plan "$models/digits.onnx" --batch "$batch" --out "plan-$batch" --json "plan-$batch.json" > "plan-$batch.txt"
done
python3 "$example/compare.py" plan-1.json plan-100.json plan-1000.json plan-0.json

# What a run says of itself.
figures() { grep -E '^(agreement|time|memory|places|sizes)' "$1"; }

step "One image, encrypted"
show velum run "$models/digits.onnx" --batch 1 --data digits --images 1 > one.txt
figures one.txt

step "The same image in a plan for thousands: a batch takes as long as if it were full"
show velum run "$models/digits.onnx" --batch 0 --data digits --images 1 > lonely.txt
figures lonely.txt

step "Two thousand images in that plan"
show velum run "$models/digits.onnx" --batch 0 --data digits --images 2000 > many.txt
figures many.txt
