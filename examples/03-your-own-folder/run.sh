#!/usr/bin/env bash
# A folder of images of your own: one folder a class, PNG or JPEG files in it.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

step "A folder as you may have one: a folder for each class, and images in it"
show python3 "$example/make_images.py" images 6
find images -type f | sort | sed -n '1,3p'

step "Are the images what the network was trained on? In the clear first: it takes no time"
show velum eval "$models/digits.onnx" --data folder:images > eval.txt
head -n 4 eval.txt

step "The same encrypted, in one process: planned for these images, encrypted, evaluated, decrypted, compared"
show velum run "$models/digits.onnx" --data folder:images --out predictions.csv --json run.json > run.txt
grep -E '^(accuracy|agreement|precision|places)' run.txt

step "As the data owner and the server do it"
show velum plan "$models/digits.onnx" --batch 60 --out plan > plan.txt
show velum keygen --plan plan/client.plan --out keys
show velum encrypt --plan plan/client.plan --key keys/secret/secret.key --data folder:images --out batch.vct
show velum infer --plan plan/server.plan --keys keys/public/eval.keys --in batch.vct --out logits.vct
show velum decrypt --plan plan/client.plan --key keys/secret/secret.key --in logits.vct --sent batch.vct \
  --names batch.vct.names.csv --data folder:images --out predictions.csv
head -n 3 predictions.csv
python3 - <<'PY'
import csv
rows = list(csv.DictReader(open("predictions.csv")))
right = sum(row["predicted"] == row["true"] for row in rows)
print(f"{right} of {len(rows)} images are what their folder says")
raise SystemExit(0 if len(rows) == 60 and right >= 57 and rows[0]["path"] == "0/000.png" else 1)
PY
