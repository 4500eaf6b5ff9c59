#!/usr/bin/env bash
# Runs a command that writes a JSON file of results and stores it under results/ with what is needed to repeat it:
#   tools/record.sh results/mnist-run.json velum run models/mnist.onnx --data mnist:DIR --json OUT
# The word OUT in the command is replaced by a temporary file; the stored JSON is {"record": {...}, "result": OUT's contents}.
# The folder of the data sets ($VELUM_DATA) is written as $VELUM_DATA in the record.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,6p' "$0" | sed 's/^# \?//'; exit 2; }
target=$1
shift
temporary=$(mktemp)
trap 'rm -f "$temporary" "$temporary.time"' EXIT
command=()
for word in "$@"; do command+=("${word/#OUT/$temporary}"); done
start=$(date +%s.%N)
"${command[@]}"
end=$(date +%s.%N)
mkdir -p "$(dirname "$target")"
VELUM_COMMAND="$*" VELUM_START=$start VELUM_END=$end python3 - "$temporary" "$target" <<'PYTHON'
import datetime, json, os, platform, subprocess, sys
def out(*command):
    try: return subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).strip()
    except (OSError, subprocess.CalledProcessError): return ""
cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
flags = next((l.split(":")[1].split() for l in open("/proc/cpuinfo") if l.startswith("flags")), [])
memory = next(int(l.split()[1]) // 1024 for l in open("/proc/meminfo") if l.startswith("MemTotal"))
command = os.environ["VELUM_COMMAND"]
for variable in ("VELUM_DATA", "VELUM_BIN", "VELUM_MODELS", "FILLED", "JOB", "CLONE"):
    if os.environ.get(variable): command = command.replace(os.environ[variable].rstrip("/"), "$" + variable)
record = {
    "command": command,
    "commit": out("git", "rev-parse", "HEAD") + ("+changes" if out("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!results", ":!docs") else ""),
    "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "wall_seconds": round(float(os.environ["VELUM_END"]) - float(os.environ["VELUM_START"]), 3),
    "machine": {"cpu": cpu, "cores": os.cpu_count(), "memory_mib": memory, "kernel": platform.release(),
                "instructions": [f for f in ("avx2", "avx512f", "avx512ifma", "avx512_vnni") if f in flags]},
}
text = open(sys.argv[1]).read()
for variable in ("VELUM_DATA", "VELUM_MODELS", "FILLED"):
    if os.environ.get(variable): text = text.replace(os.environ[variable].rstrip("/"), "$" + variable)
text = text.replace(os.getcwd() + "/", "")  # files of the repository go by their names in it
result = json.loads(text)
with open(sys.argv[2] + ".tmp", "w") as f:
    json.dump({"record": record, "result": result}, f, indent=1)
    f.write("\n")
os.replace(sys.argv[2] + ".tmp", sys.argv[2])
PYTHON
echo "recorded $target"
