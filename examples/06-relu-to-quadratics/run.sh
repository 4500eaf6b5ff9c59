#!/usr/bin/env bash
# A network with ReLU becomes one of quadratics, which can run encrypted.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

[ -x "$(dirname "$(command -v velum)")/velum-train" ] ||
  skip "velum-train is not built: it needs libtorch (tools/setup.sh installs it, make build then finds it)"

step "Images to train, to choose and to test with"
for split in train:40 val:10 test:10; do
  show python3 "$example/../03-your-own-folder/make_images.py" "images/${split%:*}" "${split#*:}" "${split%:*}"
done

step "A network with ReLU, as it may come from anywhere"
show velum train --data folder:images --net cryptonets --activation relu --epochs 4 --batch 32 --threads 1 --quiet --out relu.onnx > relu.txt
show velum eval relu.onnx --data folder:images | sed -n '1,2p'

step "It cannot run encrypted, and velum plan says why"
if show velum plan relu.onnx > plan.txt 2> refused.txt; then
  echo "a network with ReLU was planned" >&2
  exit 1
fi
cut -c 1-300 refused.txt

step "The same network with quadratics, starting from its weights"
show velum train --from relu.onnx --data folder:images --recipe beaa --epochs 4 --batch 32 --threads 1 --quiet --out quadratic.onnx > quadratic.txt
show velum eval quadratic.onnx --data folder:images --teacher relu.onnx > eval.txt
sed -n '1,3p' eval.txt

step "It runs encrypted"
show velum run quadratic.onnx --data folder:images > run.txt
grep -E '^(accuracy|agreement|precision)' run.txt
