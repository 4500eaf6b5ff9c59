#!/usr/bin/env bash
# Times the same network on the same images with Velum and with what a user would pick instead, in turn, and stores what each says under
# results/peers/. Peers come from PyPI into virtual environments, each made when a run first needs it: OpenFHE's wheel needs Python 3.10, which
# PYTHON310 names; Orion and desilofhe need 3.11 or later, and Orion brings PyTorch, 6 GB on the disk.
#   VELUM_DATA=DIR tools/peers/compare.sh [PEER:IMAGES[:slots]...]      all: see below; `velum` is on the PATH
#   PEERS=DIR     where the environments are kept (default: build/peers)
# docs/peers.md is written from the records by tools/peers_table.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${VELUM_DATA:?set it to the folder of the data sets}"
env=${PEERS:-build/peers}
model=$PWD/models/table/mnist-cryptonets-square-s1.onnx mnist=$VELUM_DATA/mnist
runs=("$@")
[ $# -gt 0 ] || runs=(velum:1 openfhe:1 helayers:1 tenseal:1 orion:1 desilofhe:1 velum:8 openfhe:8 helayers:8 orion:8 desilofhe:8
  velum:100 helayers:100 orion:100 desilofhe:100 velum:1000 helayers:1000 orion:1000 desilofhe:1000
  velum:8192 helayers:8192 openfhe:8192:slots tenseal:8192:slots desilofhe:8192:slots)
mkdir -p "$env" results/peers
env=$(cd "$env" && pwd)
environment() { # NAME PYTHON PACKAGES...
  [ -e "$env/$1/installed" ] || { "$2" -m venv --clear "$env/$1" && "$env/$1/bin/pip" install -q "${@:3}" && touch "$env/$1/installed"; }
}
environment common python3 'numpy<3' 'onnx<2' 'tenseal==0.3.*' 'pyhelayers==1.5.*'
network=$env/network.npz
"$env/common/bin/python" tools/peers/network.py "$model" "$network"
export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive GOMAXPROCS=2

for run in "${runs[@]}"; do
  IFS=: read -r peer images slots <<< "$run"
  python=$env/common/bin/python arguments=("$network" "$mnist" "$images")
  case "$peer" in
    velum) arguments=("$model" "${arguments[@]}") ;;
    openfhe) environment openfhe "${PYTHON310:-python3.10}" 'numpy<3' 'openfhe==1.6.*' || continue ;;
    orion) environment orion python3 'numpy<3' orion-v2-{compiler,evaluator}==2.1.* 'orion-v2-lattigo==6.2.*' || continue ;;
    desilofhe) environment desilofhe python3 'numpy<3' 'desilofhe==2.0.*' || continue ;;
    helayers | tenseal) ;;
    *) echo "compare: unknown peer '$peer'" >&2; exit 2 ;;
  esac
  [ ! -d "$env/$peer" ] || python=$env/$peer/bin/python
  [ -z "${slots:-}" ] || arguments+=(--slots)
  out=results/peers/mnist-$peer-$images.json
  lines=$(sed -n '/begin here/,/end here/p' "tools/peers/${peer}_peer.py" | grep -cvE '^ *(#|$)')
  if ! line=$(timeout 1500 "$python" "tools/peers/${peer}_peer.py" "${arguments[@]}" 2> "$env/error.txt" | tail -1) || [ -z "$line" ]; then
    echo "$peer, $images images: no result within 25 minutes: $(tail -1 "$env/error.txt")" >&2
    continue
  fi
  "$env/common/bin/python" - "$out" "$run" "$lines" "$line" << 'PYTHON'
import json, os, platform, subprocess, sys, datetime
out, run, lines, line = sys.argv[1:]
flags = open("/proc/cpuinfo").read()
record = {
    "command": f"tools/peers/compare.sh {run}", "commit": subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip(),
    "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "machine": {"cpu": next(l.split(":")[1].strip() for l in flags.splitlines() if l.startswith("model name")), "cores": os.cpu_count(),
                "instructions": [x for x in ("avx2", "avx512f", "avx512ifma", "avx512_vnni") if x in flags.split()],
                "shared": os.environ.get("MACHINE_SHARED", "no") == "yes"},
    "seed": None, "threads": 2, "lines_of_code": int(lines), "result": json.loads(line)}
with open(out, "w") as f:
    json.dump(record, f, indent=1)
    f.write("\n")
r = record["result"]
print(f"{r['peer']}, {r['images']} images: {r['seconds']['warm']:.3g} s warm, {r['bytes']['up'] / 1e6:.1f} MB up")
PYTHON
done
