#!/usr/bin/env bash
# A network of your own, from PyTorch, which was trained on normalised images.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
python=${PYTHON:-python3}

step "Images: a folder for each class"
show python3 "$example/../03-your-own-folder/make_images.py" images/train 60 train
show python3 "$example/../03-your-own-folder/make_images.py" images/test 6 test

if "$python" -c 'import torch, onnx, onnxscript, PIL, numpy' 2> /dev/null; then
  step "Trained by PyTorch, and exported with its defaults"
  show "$python" "$example/export.py" images exported > export.txt 2> export.log || { cat export.log >&2; exit 1; }
  tail -n 1 export.txt
else
  step "PyTorch is not here (set PYTHON, or pip install torch onnx onnxscript pillow numpy): what export.py wrote elsewhere"
  cp -r "$example/exported" exported
fi
ls exported

step "What it is, and what feeds it"
show velum inspect exported/net.onnx | head -n 8

step "The network was trained on (pixel - 0.1307) / 0.3081. Who forgets to say so loses accuracy, with or without encryption"
show velum eval exported/net.onnx --data folder:images --split test > forgotten.txt
grep '^accuracy' forgotten.txt
normalised=(--input-mean 0.1307 --input-std 0.3081)
show velum eval exported/net.onnx --data folder:images --split test "${normalised[@]}" --out clear.csv > eval.txt
grep '^accuracy' eval.txt

step "The outputs are PyTorch's"
python3 - <<'PY'
import csv
expected = [[float(v) for v in row] for row in csv.reader(open("exported/expected.csv"))]
rows = list(csv.DictReader(open("clear.csv")))
names = sorted((n for n in rows[0] if n.startswith("output_")), key=lambda n: int(n[7:]))
gap = max(abs(float(row[n]) - v) for row, values in zip(rows, expected, strict=True)
          for n, v in zip(names, values, strict=True))
print(f"{len(rows)} images, largest difference {gap:.1e}")
raise SystemExit(0 if gap < 1e-3 else 1)
PY

step "Encrypted: the normalisation is folded into the first layer, and the images are sent as they are"
show velum run exported/net.onnx --data folder:images --split test "${normalised[@]}" --calibrate 200 --json run.json > run.txt
grep -E '^(images|accuracy|agreement|precision)' run.txt
python3 - <<'PY'
import json
run = json.load(open("run.json"))
agreement = run["agreement"]
print(f"agreement {agreement if isinstance(agreement, float) else agreement}")
PY
