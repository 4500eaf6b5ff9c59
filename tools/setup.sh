#!/usr/bin/env bash
# Installs what Velum needs on Debian 12 or Ubuntu 24.04, and only what is missing. Safe to run again at any time.
#
#   tools/setup.sh           the library, the command and the tests, with a browser that opens the reports in them and Doxygen;
#                            the trainer too, unless VELUM_TORCH=OFF
#   tools/setup.sh core      without the trainer, the browser and Doxygen
#   tools/setup.sh fuzz      also clang, clang-format and clang-tidy, for the fuzz targets and the checks of format and code
set -euo pipefail

core=(g++ cmake ninja-build pkg-config make python3
      libsodium-dev libfmt-dev zlib1g-dev libjpeg-dev libpng-dev libtiff-dev libwebp-dev libdcmtk-dev libcli11-dev nlohmann-json3-dev
      libonnx-dev libprotobuf-dev protobuf-compiler libgtest-dev libgmock-dev libbenchmark-dev)
# Debian's default OpenBLAS starts threads of its own next to OpenMP's; the OpenMP build shares them.
train=(libtorch-dev libopenblas0-openmp)
# A browser for the test that opens the reports, and what makes the API reference; without them these tests are skipped.
page=(chromium doxygen)
fuzz=(clang clang-format clang-tidy libclang-rt-14-dev libomp-dev)

case "${1:-all}" in
  core) wanted=("${core[@]}") ;;
  all)  wanted=("${core[@]}" "${page[@]}"); [ "${VELUM_TORCH:-AUTO}" = OFF ] || wanted+=("${train[@]}") ;;
  fuzz) wanted=("${core[@]}" "${fuzz[@]}") ;;
  *)    echo "setup: unknown group '$1': core, fuzz, or nothing for everything but fuzz" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: all ${#wanted[@]} packages are here"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "setup: no apt-get here (Debian 12 or Ubuntu 24.04 expected); install the counterparts of: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: neither root nor sudo; ask an administrator for: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
# Ubuntu 24.04 has no package of libtorch, nor of chromium but as a snap: everything else builds and passes without.
optional=" ${train[*]} ${page[*]} " found=()
for package in "${missing[@]}"; do
  if [[ $optional != *" $package "* || $(LC_ALL=C apt-cache policy "$package") == *"Candidate: "[^\(]* ]]; then
    found+=("$package")
  else
    echo "setup: there is no $package here; what needs it is left out"
  fi
done
[ ${#found[@]} -gt 0 ] || exit 0
echo "setup: installing ${#found[@]} packages: ${found[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${found[@]}"
echo "setup: done"
