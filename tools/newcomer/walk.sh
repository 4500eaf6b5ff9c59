#!/usr/bin/env bash
# The walk of a newcomer after `make demo`, with what README and examples 02 and 03 say and nothing else: a PyTorch network
# and a folder of their own, encrypted. Every step is timed; the figures go to a JSON file.
#   PYTHON=/venv/bin/python tools/record.sh results/newcomer.json tools/newcomer/walk.sh OUT
# Needs `velum` on the PATH and a Python with torch, onnx, onnxscript, numpy and pillow, which such a newcomer has.
set -euo pipefail
out=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
steps=()
begin=$(date +%s.%N)
step() {  # step WHAT COMMAND...
  local what=$1 start
  shift
  start=$(date +%s.%N)
  "$@" > log.txt 2>&1 || { cat log.txt >&2; exit 1; }
  steps+=("$(python3 -c 'import json, sys; print(json.dumps({"step": sys.argv[1], "seconds": round(float(sys.argv[3]) - float(sys.argv[2]), 2)}))' \
    "$what" "$start" "$(date +%s.%N)")")
  printf '%s\n' "${steps[-1]}"
}
pixels=(--input-mean 0.485,0.456,0.406 --input-std 0.229,0.224,0.225)

step "train and export in PyTorch" "${PYTHON:-python3}" "$here/my_network.py" .
step "inspect" velum inspect shapes.onnx
step "eval in the clear" velum eval shapes.onnx --data folder:images --split test "${pixels[@]}" --json eval.json
step "run in one process" velum run shapes.onnx --data folder:images --split test "${pixels[@]}" --calibrate folder:images/train --json run.json
step "plan" velum plan shapes.onnx "${pixels[@]}" --calibrate folder:images/train --batch 120 --out plan
step "keygen" velum keygen --plan plan/client.plan --out keys
secret=$(find keys -name secret.key) evaluation=$(find keys -name eval.keys)
step "encrypt" velum encrypt --plan plan/client.plan --key "$secret" --data folder:images --split test --out batch.vct
step "infer" velum infer --plan plan/server.plan --keys "$evaluation" --in batch.vct --out logits.vct
step "decrypt" velum decrypt --plan plan/client.plan --key "$secret" --in logits.vct --sent batch.vct \
  --names batch.vct.names.csv --out predictions.csv
total=$(python3 -c 'import sys; print(round(float(sys.argv[2]) - float(sys.argv[1]), 1))' "$begin" "$(date +%s.%N)")

python3 - "$out" "$total" "${steps[@]}" <<'PY'
import csv, json, sys
rows = list(csv.DictReader(open("predictions.csv")))
# The names were joined at home: the true class is in the path.
classes = sorted({row["path"].split("/")[-2] for row in rows})
right = sum(classes[int(row["predicted"])] == row["path"].split("/")[-2] for row in rows)
result = {"images": len(rows), "right": right, "seconds": float(sys.argv[2]), "within_ten_minutes": float(sys.argv[2]) <= 600,
          "steps": [json.loads(s) for s in sys.argv[3:]]}
json.dump(result, open(sys.argv[1], "w"), indent=1)
print(f"{right} of {len(rows)} images right, encrypted; {sys.argv[2]} s in all")
raise SystemExit(0 if right >= 0.9 * len(rows) and result["within_ten_minutes"] else 1)
PY
