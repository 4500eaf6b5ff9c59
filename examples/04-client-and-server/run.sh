#!/usr/bin/env bash
# Two machines, as two folders: owner/ has the images and the secret key, server/ has the network's plan and one
# program, velum-infer. Four files travel between them: client.plan, eval.keys, batch.vct and logits.vct.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

mkdir -p owner server/bin network
infer=$(dirname "$(command -v velum)")/velum-infer
[ -x "$infer" ] || { echo "velum-infer is not beside velum: 'make demo' builds it" >&2; exit 1; }

# travel FILE FROM TO: what would go over a network.
travel() {
  cp "$2/$1" "$3/$1"
  printf '   %-12s %s -> %s, %s bytes\n' "$1" "$2" "$3" "$(wc -c < "$3/$1")"
}

step "Whoever has the network plans once. The server gets its half of the plan and velum-infer, and nothing else"
show velum plan "$models/digits.onnx" --batch 100 --out network > network/plan.txt
cp network/server.plan server/
cp "$infer" server/bin/
travel client.plan network owner

step "Data owner: keys and an encrypted batch"
cd owner
show velum keygen --plan client.plan --out keys
show velum encrypt --plan client.plan --key keys/secret/secret.key --data digits --images 100 --out batch.vct
cp keys/public/eval.keys .
cd ..
travel eval.keys owner server
travel batch.vct owner server

step "Server: evaluate. velum-infer is the only program of Velum on its PATH"
(cd server && PATH="$PWD/bin:/usr/bin:/bin" &&
  show velum-infer --plan server.plan --keys eval.keys --in batch.vct --out logits.vct)
travel logits.vct server owner

step "Data owner: decrypt"
cd owner
show velum decrypt --plan client.plan --key keys/secret/secret.key --in logits.vct --sent batch.vct \
  --data digits --images 100 --out predictions.csv
cd ..

step "What the server has"
(cd server && find . -type f | sort)
expected="./batch.vct ./bin/velum-infer ./eval.keys ./logits.vct ./server.plan"
found=$(cd server && find . -type f | sort | tr '\n' ' ')
[ "$found" = "$expected " ] || { echo "the server should have: $expected" >&2; exit 1; }

step "The secret key is not among it, neither as a file nor as a part of one"
show python3 "$example/find_secret.py" owner/keys/secret/secret.key server
step "The same search finds it where it is"
! show python3 "$example/find_secret.py" owner/keys/secret/secret.key owner || { echo "the search is blind" >&2; exit 1; }
