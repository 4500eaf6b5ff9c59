# Sourced by the other train_*.sh: finds the trainer and the data, and keeps OpenMP's idle threads asleep.
#   VELUM_DATA     folder of the data sets: mnist/, cifar10/, pneumoniamnist/
#   VELUM_TRAIN    the trainer (default: build/release/bin/velum-train)
#   VELUM_SCRATCH  teachers and checkpoints (default: build/training); an interrupted run goes on from there
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
trainer=${VELUM_TRAIN:-build/release/bin/velum-train}
scratch=${VELUM_SCRATCH:-build/training}
[ -x "$trainer" ] || { echo "$0: no trainer at $trainer; run make build, or set VELUM_TRAIN" >&2; exit 2; }
mkdir -p "$scratch" models results/training
export OMP_WAIT_POLICY=passive VELUM_SCRATCH=$scratch
commit=$(git rev-parse HEAD 2>/dev/null || echo unknown)

need_data() {  # need_data FOLDER-OR-FILE: refuses to start without it
  [ -n "${VELUM_DATA:-}" ] || { echo "$0: set VELUM_DATA to the folder that holds $1" >&2; exit 2; }
  [ -e "$VELUM_DATA/$1" ] || { echo "$0: $VELUM_DATA/$1 is missing" >&2; exit 2; }
}

# train NAME OUT OPTIONS...: one run; the report goes to results/training/NAME.json
train() {
  local name=$1 out=$2
  shift 2
  "$trainer" --out "$out" --json "results/training/$name.json" --checkpoint "$scratch/$name.ckpt" --resume \
    --note commit="$commit" --note script="tools/$(basename "$0")" "$@"
}
