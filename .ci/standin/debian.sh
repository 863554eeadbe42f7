#!/usr/bin/env bash
# Print the tag of an image of Debian with Python 3.13, and build it from Debian's packages if it does not exist.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/build/ci/standin
mkdir -p "$work"
# Lambda's runtime client and compiled packages link against libstdc++; the health check needs curl.
debian=python3-venv,libstdc++6,curl,ca-certificates
base=eventloom-standin/debian:trixie-$(cksum <<<"$debian" | cut -d' ' -f1)
if ! docker image inspect "$base" >/dev/null 2>&1; then
  command -v mmdebstrap >/dev/null ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null; }
  printf '  stand-in: %s: Debian with Python 3.13\n' "$base" >&2
  TMPDIR=$work mmdebstrap --quiet --variant=essential --include="$debian" trixie "$work/debian.tar" >&2
  docker import "$work/debian.tar" "$base" >/dev/null
  rm "$work/debian.tar"
fi
echo "$base"
