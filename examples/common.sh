# What every run.sh begins with: a working folder of its own, and `velum` on the PATH.
#   run.sh          works in a temporary folder, which is gone at the end
#   run.sh FOLDER   works in FOLDER, and leaves everything there to be looked at
set -euo pipefail
example=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
models=$(cd "$example/../../models" && pwd)

# step TEXT: what comes next, in words.
step() { printf '\n== %s\n' "$*"; }
# show COMMAND ...: the command as it is typed, and what it says.
exec 3>&1  # the command is shown where its output goes to a file too
show() { printf '$ %s\n' "$*" >&3; "$@"; }
# skip REASON: this example cannot run here; 77 tells ctest so.
skip() { printf 'skipped: %s\n' "$*"; exit 77; }

if ! command -v velum > /dev/null; then
  echo "velum is not on the PATH: after 'make demo', export PATH=\"\$PWD/build/release/bin:\$PATH\"" >&2
  exit 1
fi
if [ $# -gt 0 ]; then
  mkdir -p "$1"
  work=$(cd "$1" && pwd)
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
cd "$work"
