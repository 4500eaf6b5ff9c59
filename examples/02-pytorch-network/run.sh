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

step "In the clear. The network was trained on (pixel - 0.1307) / 0.3081, which its file does not say: so the command says it"
normalised=(--input-mean 0.1307 --input-std 0.3081)
show velum eval exported/net.onnx --data folder:images --split test "${normalised[@]}" --out clear.csv > eval.txt
grep '^accuracy' eval.txt
show velum eval exported/net.onnx --data folder:images --split test --out forgotten.csv > forgotten.txt

step "With it the outputs are PyTorch's; without it they are another network's, even where the classes happen to be right"
python3 - <<'PY'
import csv
def read(path):
    rows = list(csv.DictReader(open(path)))
    return [[float(row[f"output_{i}"]) for i in range(10)] for row in rows]
def gap(path):
    return max(abs(a - b) for x, y in zip(read(path), expected, strict=True) for a, b in zip(x, y, strict=True))
expected = [[float(v) for v in row] for row in csv.reader(open("exported/expected.csv"))]
stated, forgotten = gap("clear.csv"), gap("forgotten.csv")
print(f"{len(expected)} images, largest difference {stated:.1e}; without the normalisation {forgotten:.1f}")
raise SystemExit(0 if stated < 1e-3 < 0.1 < forgotten else 1)
PY

step "Encrypted. Ranges come from images of the training; the normalisation is folded into the first layer"
show velum run exported/net.onnx --data folder:images --split test "${normalised[@]}" --calibrate folder:images/train > run.txt
grep -E '^(accuracy|agreement|precision|places)' run.txt

step "For a server and a client: the same options once, when the plan is made; the client then gives the images as they are"
show velum plan exported/net.onnx "${normalised[@]}" --calibrate folder:images/train --batch 60 --out plan > plan.txt
grep -E '^(time|memory|security|precision)' plan.txt
