#!/usr/bin/env bash
# Trains rows of the tables in docs/results-training.md, a run for each seed; the report of each goes to
# results/training/table/ROW-sSEED.json. Finished runs are skipped, interrupted ones go on where they stopped.
#   VELUM_DATA=DIR tools/train_table.sh ROW...     rows are the names of configs/*.toml without the ending
#   SEEDS="1 2 3"   which seeds (default: 1 2 3)
#   TEACHER_SEED=1  begin with, and be taught by, networks of that seed, where a teacher takes too long to train it three times
#   TAUGHT_SEED=2   be taught by the network of that seed, but begin with that of their own
#   AGAIN=1         train finished runs again whose networks are not in VELUM_SCRATCH, as later rows begin with them; the
#                   report goes there too, the one of the table stays, and the two accuracies are printed
#   EXTRA="..."     more options for every run, e.g. "--threads 2", or "--products float32" where the processor has no
#                   AVX-512 BF16, which the rows of alexnet and vgg ask for
# Rows whose recipe begins with a ReLU network take that of the row DATA-NETWORK-relu with the same seed: train it first.
# It is their teacher too, unless the configuration has a key taught-by = "ROW": then that row's network is.
# With a key begins-with = "ROW" they begin with the network of that row.
[ $# -gt 0 ] || { sed -n '2,14p' "$0" >&2; exit 2; }
source "$(dirname "$0")/train_env.sh"
source tools/row_data.sh
table=results/training/table
mkdir -p "$table" "$scratch/table"

accuracy() {  # accuracy REPORT: of the test images, in per cent
  python3 -c 'import json, sys; print("%.2f" % (100 * json.load(open(sys.argv[1]))["test"]["accuracy"]))' "$1"
}

stop() { echo "$0: $*" >&2; exit 2; }

find_relu() {  # sets relu to the ReLU row of the same data and network, or to nothing
  relu=$1
  while [[ $relu == *-* ]]; do
    relu=${relu%-*}
    [ -f "configs/$relu-relu.toml" ] && { relu=$relu-relu; return; }
  done
  relu=
}

for row in "$@"; do
  [ -f "configs/$row.toml" ] || stop "there is no configs/$row.toml"
  [[ $row == digits-* ]] || : "${VELUM_DATA:?set it to the folder of the data sets}"
  find_data "$row"
  [ "$data" = digits ] || [ -e "${data#*:}" ] || stop "$row: ${data#*:} is missing"
  find_relu "$row"
  for seed in ${SEEDS:-1 2 3}; do
    name=$row-s$seed
    report=$table/$name.json
    if [ -f "$report" ]; then
      [ "${AGAIN:-0}" = 1 ] && [ ! -f "$scratch/table/$name.onnx" ] || continue
      report=$scratch/table/$name.json
    fi
    teacher=()
    if [ -n "$relu" ] && grep -Eq '^recipe = "(beaa|transition|best)"' "configs/$row.toml"; then
      taught_by=$(sed -nE 's/^taught-by = "([a-z0-9-]+)"$/\1/p' "configs/$row.toml")
      begins_with=$(sed -nE 's/^begins-with = "([a-z0-9-]+)"$/\1/p' "configs/$row.toml")
      from_seed=${TEACHER_SEED:-$seed}
      taught_seed=${TAUGHT_SEED:-$from_seed}
      for needed in "$relu-s$from_seed" "${taught_by:-$relu}-s$taught_seed" ${begins_with:+"$begins_with-s$from_seed"}; do
        [ -f "$scratch/table/$needed.onnx" ] || stop "$name takes the network of $needed: train that first (with AGAIN=1 if its report is there)"
      done
      teacher=(--teacher "$scratch/table/${taught_by:-$relu}-s$taught_seed.onnx")
      [ -z "$taught_by$begins_with${TAUGHT_SEED:-}" ] || teacher+=(--from "$scratch/table/${begins_with:-$relu}-s$from_seed.onnx")
    fi
    echo "== $name"
    # shellcheck disable=SC2086
    nice -n 19 "$trainer" --config "configs/$row.toml" --data "$data" --seed "$seed" "${teacher[@]}" ${EXTRA:-} \
      --out "$scratch/table/$name.onnx" --json "$report" --checkpoint "$scratch/table/$name.ckpt" --resume \
      --quiet --note commit="$commit" --note script="tools/train_table.sh" --note row="$row"
    [ "$report" = "$table/$name.json" ] ||
      echo "$name again: $(accuracy "$report") %, in the table $(accuracy "$table/$name.json") %"
  done
done
