#!/usr/bin/env bash
# Builds the trainer against another Debian suite's libtorch and compiler and runs its tests there, in a root
# folder of its own; nothing of this system changes. Needs root, debootstrap, 5 GB and some 20 minutes.
#   tools/newest_torch.sh ROOT [SUITE]      SUITE: sid (default), trixie, ...
#   MIRROR=URL                              where the packages come from, if not from debootstrap's default
#   CUDA=1                                  against libtorch-cuda-dev and NVIDIA's toolkit, of the suite's contrib and
#                                           non-free; 15 GB. No GPU is needed: tests that want one skip
# What was built with what, and how its tests ended, goes to results/training/libtorch.json; a second call goes on
# in the same ROOT.
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n '2,9p' "$0" >&2; exit 2; }
set -euo pipefail
root=$(realpath -m "$1") suite=${2:-sid} mirror=${MIRROR:-}
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "$0: a root folder of its own needs root" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "$0: install debootstrap first" >&2; exit 2; }
[ -z "$(git status --porcelain --untracked-files=no)" ] || { echo "$0: commit first: the record names a commit" >&2; exit 2; }

# The same packages as here, but for the group that holds libtorch's.
eval "$(sed -n '/^core=(/,/)$/p; /^train=(/p' tools/setup.sh)"
# shellcheck disable=SC2154
packages=("${core[@]}" "${train[@]}")
torch=libtorch-dev components=main
if [ "${CUDA:-0}" = 1 ]; then
  torch=libtorch-cuda-dev components=main,contrib,non-free
  packages=("${packages[@]/#libtorch-dev/$torch}" nvidia-cuda-toolkit)
fi

[ -e "$root/etc/debian_version" ] || debootstrap --variant=minbase --components="$components" "$suite" "$root" ${mirror:+"$mirror"}
mkdir -p "$root/src" "$root/build"
cp /etc/resolv.conf "$root/etc/resolv.conf"
let_go() { for mounted in src proc; do ! mountpoint -q "$root/$mounted" || umount "$root/$mounted"; done; }
trap let_go EXIT
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/src" || mount --bind -o ro "$PWD" "$root/src"

inside() { chroot "$root" env DEBIAN_FRONTEND=noninteractive OMP_WAIT_POLICY=passive LC_ALL=C "$@"; }

# Debian's nvidia-cudnn fetches cuDNN from its maker when installed. No test here calls it, so an empty package goes by its
# name, and functions that stop the program by the library's.
package_cudnn() {
  mkdir -p "$root/tmp/cudnn/DEBIAN"
  printf '%s\n' 'Package: nvidia-cudnn' 'Version: 99' 'Architecture: all' 'Maintainer: nobody <nobody@localhost>' \
    'Description: stands in for cuDNN where nothing calls it' > "$root/tmp/cudnn/DEBIAN/control"
  inside dpkg-deb --build /tmp/cudnn /tmp/cudnn.deb > /dev/null
  packages+=(/tmp/cudnn.deb)
}
build_cudnn() {
  # shellcheck disable=SC2016
  inside sh -ec 'cd /usr/lib/x86_64-linux-gnu
    nm -D --undefined-only libtorch_cuda.so | sed -nE "s/^ +U (cudnn[A-Za-z0-9_]+)(@.*)?$/void \1(void) { __builtin_trap(); }/p" > /tmp/cudnn.c
    echo "libcudnn.so.9 { global: *; };" > /tmp/cudnn.map
    gcc -shared -fPIC -fno-builtin -Wl,-soname,libcudnn.so.9 -Wl,--version-script=/tmp/cudnn.map -o libcudnn.so.9 /tmp/cudnn.c'
}
[ "$torch" = libtorch-dev ] || package_cudnn
inside apt-get install -y -qq --no-install-recommends "${packages[@]}"
[ "$torch" = libtorch-dev ] || build_cudnn
inside cmake -S /src -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DVELUM_TORCH=ON
inside ninja -C /build velum-train velum_train_tests
result=0
inside sh -c 'cd /build/tests/train && ./velum_train_tests --gtest_brief=1 --gtest_output=json:/build/tests.json' || result=$?

version() { inside dpkg-query -W -f='${Version}' "$1"; }
python3 - "$root/build/tests.json" "$suite" "$torch" "$(version "$torch")" "$(inside g++ -dumpfullversion)" "$(git rev-parse HEAD)" \
  results/training/libtorch.json <<'END'
import datetime, json, os, platform, sys
tests, suite, package, torch, compiler, commit, out = sys.argv[1:]
cuda = "cuda" in package
tests = json.load(open(tests))
skipped = sum(case.get("result") == "SKIPPED" for group in tests["testsuites"] for case in group["testsuite"])
entry = {"libtorch": torch, "compiler": "g++ " + compiler, "commit": commit,
         "command": ("CUDA=1 " if cuda else "") + "tools/newest_torch.sh ROOT " + suite, "package": package,
         "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
         "machine": {"cores": os.cpu_count(), "system": platform.machine()},
         "tests": tests["tests"], "failed": tests["failures"] + tests["errors"], "skipped": skipped}
record = json.load(open(out)) if os.path.exists(out) else {}
record[suite + "-cuda" * cuda] = entry
with open(out + ".new", "w") as f:
    f.write(json.dumps(record, indent=1, sort_keys=True) + "\n")
os.replace(out + ".new", out)
print(f"libtorch {torch}, g++ {compiler}: {entry['tests']} tests, {entry['failed']} failed, {skipped} skipped")
END
exit "$result"
