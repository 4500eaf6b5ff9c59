#!/usr/bin/env bash
# The programs of integrations/fhe-benchmarking/ in the harness's folders and order, on a small workload: labels and
# outputs against the clear network, and what is damaged or does not belong together is refused.
#   fhe_benchmarking_test.sh SOURCE BIN      BIN holds velum and velum-infer
# With VELUM_DATA the images are MNIST's first test images, without it drawn strokes with noise.
set -euo pipefail
source=$1 bin=$2
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VELUM_PROGRAMS=$bin
mkdir -p "$work/clone/harness"
touch "$work/clone/harness/run_submission.py"
"$source/integrations/fhe-benchmarking/install.sh" "$work/clone"
cd "$work/clone"
scripts/get_openfhe.sh
scripts/build_task.sh ./submission
programs=$PWD/submission/build

step() { "$programs/$1" "${@:2}" > "$work/log" 2>&1 || { cat "$work/log"; echo "failed: $*"; exit 1; }; }
refused() {  # refused WHAT PROGRAM ARGUMENTS...: ends with another code than 0, and says why
  local what=$1
  shift
  if "$programs/$1" "${@:2}" > "$work/log" 2>&1; then echo "not refused: $what"; exit 1; fi
  [ -s "$work/log" ] || { echo "refused without a word: $what"; exit 1; }
  echo "refused: $what: $(head -c 200 "$work/log" | tr '\n' ' ')"
}
flip() { python3 -c '
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(len(data) * float(sys.argv[2]))] ^= 4
open(sys.argv[1], "wb").write(data)' "$@"; }

# shellcheck disable=SC1091
. submission/workload.sh
run() {  # run SIZE COUNT: the harness's steps, in its order
  local size=$1 count=$2
  workload "$size"
  python3 "$here/fhe_benchmarking_data.py" write "datasets/$name/intermediate" "$count" "$((size + 1))"
  step client_key_generation "$size"
  step server_preprocess_model
  step client_preprocess_input "$size"
  step client_encode_encrypt_input "$size"
  step server_encrypted_compute "$size"
  step client_decrypt_decode "$size"
  step client_postprocess "$size"
  # The clear network on an array that the test made itself.
  python3 "$here/fhe_benchmarking_data.py" array "datasets/$name/intermediate" "$border" "$work/$name.npy"
  "$bin/velum" eval "submission/models/$network" --data "npy:$work/$name.npy" --out "$work/$name.csv" > /dev/null
  python3 "$here/fhe_benchmarking_data.py" compare "io/$name" "$work/$name.csv" "$count"
}
for variant in accurate fast; do
  export VELUM_VARIANT=$variant
  rm -rf io datasets
  run 0 1
  run 1 15
  run 2 33
  run 3 20
done

# The plan is the published one on any number of cores.
core=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
taskset -c "$core" "$programs/server_preprocess_model" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }

# What belongs together is tested on the small size.
workload 1
upload=io/$name/ciphertexts_upload/batch.vct download=io/$name/ciphertexts_download/logits.vct
cp "$upload" "$work/upload"; cp "$download" "$work/download"
for at in 0.01 0.5 0.99; do
  flip "$upload" $at
  refused "a batch with a changed bit at $at" server_encrypted_compute 1
  cp "$work/upload" "$upload"
  flip "$download" $at
  refused "a result with a changed bit at $at" client_decrypt_decode 1
  cp "$work/download" "$download"
done
head -c 10000 "$work/upload" > "$upload"
refused "a batch cut short" server_encrypted_compute 1
rm "$upload"
refused "no batch" server_encrypted_compute 1
step client_encode_encrypt_input 1
[ ! -e "$download" ] || { echo "the result of a former batch is still there"; exit 1; }
cp "$work/download" "$download"
refused "the result of another batch" client_decrypt_decode 1
step server_encrypted_compute 1
step client_decrypt_decode 1
keys=io/$name/public_keys/eval.keys
cp "$keys" "$work/keys"
flip "$keys" 0.5
refused "damaged keys" server_encrypted_compute 1
cp "$work/keys" "$keys"
step client_key_generation 1
refused "a batch of another key" client_decrypt_decode 1

pixels=datasets/$name/intermediate/test_pixels.txt
cp "$pixels" "$work/pixels"
good=$(sed -n 2p "$work/pixels")
for line in "${good% *}" "$good 0.5" "1.5 ${good#* }" "-0.1 ${good#* }" "nan ${good#* }" "0.5x ${good#* }" "" "a"; do
  { head -n 1 "$work/pixels"; echo "$line"; } > "$pixels"
  refused "a line '${line:0:10}...${line: -10}'" client_preprocess_input 1
  grep -q 'line 2' "$work/log" || { echo "the message does not name the line"; exit 1; }
done
: > "$pixels"
refused "no image" client_preprocess_input 1
cp "$work/pixels" "$pixels"
for size in 4 -1 x ''; do refused "size '$size'" server_encrypted_compute $size; done
VELUM_VARIANT=slow refused "an unknown variant" server_encrypted_compute 1
rm io/*/public_keys/eval.keys
refused "no keys at all" server_preprocess_model
echo "the submission does what the harness asks of it"
