#!/usr/bin/env bash
# Builds a newer cfssl than Debian's, which is of 2016, so that enrolment is measured beside both.
#
#     bench/peers/build-cfssl.sh [VERSION]       VERSION as in 1.6.5, which it is if not given
#
# It comes from the Go module proxy and wants go and a C compiler (for SQLite), takes about a minute, and leaves 25 MB in
# ~/.cache/handfast-bench/cfssl-<version>/ (below XDG_CACHE_HOME where that is set). `npm run bench` finds it there.
set -euo pipefail

version=${1:-1.6.5}
if [[ ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
  echo "error: '$version' is no version; give one as in 1.6.5" >&2
  exit 2
fi
for program in go cc; do
  command -v "$program" > /dev/null || { echo "error: this needs $program" >&2; exit 1; }
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/handfast-bench
target=$cache/cfssl-$version
if [[ -x $target/cfssl ]]; then
  echo "cfssl $version is in $target already"
  exit 0
fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$work"' EXIT

echo "building cfssl $version; this takes about a minute"
GOBIN=$work CGO_ENABLED=1 nice go install "github.com/cloudflare/cfssl/cmd/cfssl@v$version"
# In place at once: the bench never sees half of it.
chmod 755 "$work"
mv "$work" "$target"
echo "cfssl $version is in $target"
