#!/usr/bin/env bash
# The harness calls this by this name before build_task.sh. Velum does not use OpenFHE: this brings the libraries that
# Velum's build needs. Where the distribution's packages are installed it does nothing; elsewhere it fetches them with
# apt-get and unpacks them into third_party/packages, without root (Debian 12 and later, Ubuntu 24.04).
#   scripts/get_openfhe.sh [--force]     --force: fetch and unpack again
# The compiler, cmake and make must be there, as for the harness's own submission.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
packages=$root/third_party/packages
wanted=(pkg-config libsodium-dev libfmt-dev zlib1g-dev libjpeg-dev libpng-dev libtiff-dev libwebp-dev libdcmtk-dev
        libcli11-dev nlohmann-json3-dev libonnx-dev libprotobuf-dev protobuf-compiler)

if [ -n "${VELUM_PROGRAMS:-}" ]; then
  echo "[get_openfhe] Velum's programs are given: $VELUM_PROGRAMS"
  exit 0
fi
if [ -e "$packages/environment.sh" ] && [ "${1:-}" != --force ]; then
  echo "[get_openfhe] Velum's libraries are in $packages (use --force to fetch them again)."
  exit 0
fi
missing=()
for package in "${wanted[@]}"; do
  # A virtual package, such as libjpeg-dev on some systems, is installed by what provides it.
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ] && [ "${1:-}" != --force ]; then
  echo "[get_openfhe] Velum's libraries are installed."
  exit 0
fi
command -v apt-get > /dev/null || {
  echo "[get_openfhe] no apt-get here; install the counterparts of: ${missing[*]}" >&2
  exit 1
}
[ "${1:-}" != --force ] || missing=("${wanted[@]}")

rm -rf "$packages"
mkdir -p "$packages"/{lists,cache}/partial "$packages"/cache/archives/partial "$packages/root"
apt=(apt-get -qq -o "Dir::State::Lists=$packages/lists" -o "Dir::Cache=$packages/cache" -o Debug::NoLocking=1
     -o APT::Sandbox::User="$(id -un)" -o Dpkg::Use-Pty=0)
"${apt[@]}" update
# With what they need and is not installed; nothing is installed by it.
"${apt[@]}" install --yes --no-install-recommends --download-only "${missing[@]}"
for package in "$packages"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$packages/root"; done
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)
# A library that is installed, but without its headers, was not fetched: what the headers' package brings (links, and
# package files for cmake that look whether the library is there) expects it beside itself.
libraries=$packages/root/usr/lib/$triplet
find "$libraries" -maxdepth 1 -xtype l -printf '%l\n' | while read -r name; do
  for there in "/usr/lib/$triplet/${name##*/}"*; do
    [ ! -e "$there" ] || [ -e "$libraries/${there##*/}" ] || ln -sf "$there" "$libraries/"
  done
done
# Some of them know each other by the system's path.
find "$packages/root" -name '*.pc' -exec sed -i "s|^prefix=/usr|prefix=$packages/root/usr|" {} +
cat > "$packages/environment.sh" <<END
export PATH="$packages/root/usr/bin:\$PATH"
export LD_LIBRARY_PATH="$packages/root/usr/lib/$triplet:$packages/root/lib/$triplet\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export PKG_CONFIG_PATH="$packages/root/usr/lib/$triplet/pkgconfig:$packages/root/usr/share/pkgconfig"
# Programs find their libraries, and the libraries each other, without the variables above.
VELUM_CMAKE_OPTIONS=(
  "-DCMAKE_PREFIX_PATH=$packages/root/usr"
  "-DCMAKE_LIBRARY_ARCHITECTURE=$triplet"
  "-DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags,-rpath,$packages/root/usr/lib/$triplet,-rpath,$packages/root/lib/$triplet"
)
END
echo "[get_openfhe] unpacked into $packages: $(ls "$packages"/cache/archives/*.deb | wc -l) packages"
rm -rf "$packages/cache" "$packages/lists"
