#!/usr/bin/env bash
# Reading what --explain says of a plan and what --probe says of a run (the README beside this goes through both).
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

step "Why is the plan what it is?"
show velum plan "$models/digits.onnx" --batch 100 --explain > explain.txt
sed -n '/^$/,$p' explain.txt | cut -c 1-150

step "Where does precision go? Every layer of the first batch is decrypted and compared with the clear network"
show velum run "$models/digits.onnx" --batch 100 --data digits --images 100 --probe > probe.txt
sed -n '/^layer/,/^reading/p' probe.txt
grep -E '^(agreement|precision)' probe.txt

step "More precision can be asked for; it costs time and memory"
show velum run "$models/digits.onnx" --batch 100 --data digits --images 100 --precision 14 --probe > more.txt
sed -n '/^layer/,/^reading/p' more.txt
grep -H '^precision' probe.txt more.txt
python3 - <<'PY'
import re
bits = [float(re.search(r"^precision .* ([0-9.]+) predicted", open(name).read(), re.M)[1])
        for name in ("probe.txt", "more.txt")]
print(f"{bits[1] - bits[0]:.1f} bits more are predicted")
raise SystemExit(0 if bits[1] > bits[0] else 1)
PY
