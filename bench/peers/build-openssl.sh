#!/usr/bin/env bash
# Builds libssl and libcrypto of the OpenSSL series that Node bundles, so that Mosquitto can be measured on it too: within
# 3.x the libraries are binary compatible, and LD_LIBRARY_PATH is all that it takes.
#
#     bench/peers/build-openssl.sh [SERIES]       SERIES as in 3.5; the series of this machine's Node if not given
#
# The source comes from crates.io, in the package openssl-src: version 300.5.x carries OpenSSL 3.5.x. It wants cargo, perl,
# make and a C compiler, takes some minutes of CPU, and leaves about 10 MB in ~/.cache/handfast-bench/openssl-<version>/
# (below XDG_CACHE_HOME where that is set). `npm run bench` finds it there. It is built with OpenSSL's own flags.
set -euo pipefail

series=${1:-$(node --print 'process.versions.openssl')}
if [[ ! $series =~ ^3\.([0-9]+) ]]; then
  echo "error: '$series' is no OpenSSL series that Mosquitto could be run on; give one as in 3.5" >&2
  exit 2
fi
minor=${BASH_REMATCH[1]}
for program in cargo perl make cc; do
  command -v "$program" > /dev/null || { echo "error: this needs $program" >&2; exit 1; }
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/handfast-bench
mkdir -p "$cache"
work=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src && touch src/lib.rs
printf '[package]\nname = "peer"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nopenssl-src = "~300.%s"\n' "$minor" > Cargo.toml
cargo vendor --quiet > /dev/null
version=$(sed -n 's/^version = ".*+\(.*\)"$/\1/p' vendor/openssl-src/Cargo.toml)
target=$cache/openssl-$version
if [[ -e $target/libcrypto.so.3 ]]; then
  echo "OpenSSL $version is in $target already"
  exit 0
fi

echo "building OpenSSL $version; this takes some minutes"
cd vendor/openssl-src/openssl
# The package leaves out what only tests, the legacy provider and shared libraries need. So static libraries are built, as
# code that may stand anywhere, and linked into shared ones with the flags that OpenSSL itself gives on Linux. Mosquitto asks
# for symbols of the version OPENSSL_3.0.0.
build() {
  perl ./Configure no-shared no-module no-tests no-docs no-apps no-legacy -fPIC &&
    nice make -j "$(nproc)" build_libs &&
    echo 'OPENSSL_3.0.0 { global: *; };' > symbols.map &&
    link libcrypto.so.3 -Wl,--whole-archive libcrypto.a -Wl,--no-whole-archive -ldl -pthread &&
    link libssl.so.3 -Wl,--whole-archive libssl.a -Wl,--no-whole-archive ./libcrypto.so.3
}
link() {
  cc -shared -Wl,-Bsymbolic -Wl,-z,defs -Wl,--version-script=symbols.map -Wl,-soname,"$1" -o "$@"
}
build > "$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; exit 1; }

# In place at once: the bench never sees half of it.
mkdir "$work/out"
cp libssl.so.3 libcrypto.so.3 "$work/out/"
strip --strip-debug "$work/out/"*
rm -rf "$target"
mv "$work/out" "$target"
echo "OpenSSL $version is in $target"
