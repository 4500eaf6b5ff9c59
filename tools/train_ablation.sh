#!/usr/bin/env bash
# Trains configs/pneumonia-lenet5-best.toml with one ingredient left out or added at a time, a run for each seed; reports go
# to results/training/ablation/VARIANT-sSEED.json. Finished runs are skipped, interrupted ones go on where they stopped.
#   VELUM_DATA=DIR tools/train_ablation.sh [VARIANT...]     (all)
#   SEEDS="1 2 3"   which seeds (default: 1 2 3)
# The ReLU networks of the row pneumonia-lenet5-relu with the same seeds are its teachers; they are trained where they are
# not there yet.
source "$(dirname "$0")/train_env.sh"
need_data pneumoniamnist/pneumoniamnist.npz
out=results/training/ablation
mkdir -p "$out" "$scratch/ablation"

options_of() {  # the options that make the variant
  case "$1" in
    best) ;;
    no-transition) echo "--transition 0" ;;
    no-distillation) echo "--distil-weight 0" ;;
    no-averaging) echo "--average 0" ;;
    no-range-penalty) echo "--range-penalty 0" ;;
    no-rounding) echo "--quantise-last 0" ;;
    no-class-weights) echo "--class-weights=false" ;;
    layerwise) echo "--order layerwise" ;;
    channel) echo "--activation channel" ;;
    feature-matching) echo "--feature-weight 0.1" ;;
    smooth-neighbours) echo "--smoothness 0.01" ;;
    longer) echo "--epochs 90" ;;
    *) echo "$0: there is no variant '$1'" >&2; exit 2 ;;
  esac
}

variants=("$@")
[ $# -gt 0 ] || variants=(best no-transition no-distillation no-averaging no-range-penalty no-rounding no-class-weights
                          layerwise channel feature-matching smooth-neighbours longer)
for variant in "${variants[@]}"; do
  options=$(options_of "$variant")
  for seed in ${SEEDS:-1 2 3}; do
    name=$variant-s$seed teacher=$scratch/table/pneumonia-lenet5-relu-s$seed.onnx
    [ -f "$out/$name.json" ] && continue
    if [ ! -f "$teacher" ]; then
      mkdir -p "$scratch/table"
      nice -n 19 "$trainer" --config configs/pneumonia-lenet5-relu.toml --seed "$seed" --quiet --skip-test --out "$teacher" \
        --data "medmnist:$VELUM_DATA/pneumoniamnist/pneumoniamnist.npz"
    fi
    echo "== $name"
    # shellcheck disable=SC2086
    nice -n 19 "$trainer" --config configs/pneumonia-lenet5-best.toml \
      --data "medmnist:$VELUM_DATA/pneumoniamnist/pneumoniamnist.npz" --seed "$seed" --teacher "$teacher" $options \
      --out "$scratch/ablation/$name.onnx" --json "$out/$name.json" --checkpoint "$scratch/ablation/$name.ckpt" --resume \
      --quiet --note commit="$commit" --note script="tools/train_ablation.sh" --note variant="$variant"
  done
done
